// How large the client is on its way to a page: as it is served, and minified.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { SOURCE } from './fake.mjs';

const compressed = (text) => gzipSync(text, { level: 9 }).length;

/** The source as its user may minify it: terser with what it does by itself; tests/it/browser.rs runs the same text. */
function minified() {
  try {
    return execFileSync('terser', ['--compress', '--mangle'], { input: SOURCE, encoding: 'utf8' });
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

test('as served, comments and all, it stays below 19.7 KiB compressed', (t) => {
  const size = compressed(SOURCE);
  t.diagnostic(`as served: ${size} bytes with gzip -9`);
  assert.ok(size <= 19.7 * 1024, `${size} bytes`);
});

test('minified it stays below 13.1 KiB compressed', (t) => {
  const text = minified();
  if (text === undefined) {
    assert.ok(!process.env.CI, 'terser is not installed');
    return t.skip('terser is not installed');
  }
  t.diagnostic(`minified: ${text.length} bytes, ${compressed(text)} with gzip -9`);
  assert.ok(compressed(text) <= 13.1 * 1024, `${compressed(text)} bytes`);
});
