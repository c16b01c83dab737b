// How large the client is on its way to a page: as it is served, and minified.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { SOURCE } from './fake.mjs';

const compressed = (text) => gzipSync(text, { level: 9 }).length;

/** The source as its user may minify it (docs/client.md); tests/it/browser.rs runs the same text. */
function minified() {
  try {
    return execFileSync('terser', ['--compress', 'passes=3,ecma=2020', '--mangle'], { input: SOURCE, encoding: 'utf8' });
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

test('as served, comments and all, it takes at most 16 KiB compressed', (t) => {
  const size = compressed(SOURCE);
  t.diagnostic(`as served: ${size} bytes with gzip -9`);
  assert.ok(size <= 16 * 1024, `${size} bytes`);
});

test('minified it takes at most 11.95 KiB compressed', (t) => {
  const text = minified();
  if (text === undefined) {
    assert.ok(!process.env.CI, 'terser is not installed');
    return t.skip('terser is not installed');
  }
  t.diagnostic(`minified: ${text.length} bytes, ${compressed(text)} with gzip -9`);
  assert.ok(compressed(text) <= 11.95 * 1024, `${compressed(text)} bytes`);
});
