// How large the client is on its way to a page: as it is served, and minified; and that both do the same.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { SOURCE } from './fake.mjs';

const compressed = (text) => gzipSync(text, { level: 9 }).length;

/** The source as its user may minify it (docs/client.md); tests/it/browser.rs runs the same text. */
function minified() {
  try {
    return execFileSync('uglifyjs', ['--compress', 'passes=3,inline=1', '--mangle'], { input: SOURCE, encoding: 'utf8' });
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

/** @returns {string | undefined} the minified text; without one the test is skipped, but never where all tools must be there */
function minifiedOr(t) {
  const text = minified();
  if (text !== undefined) return text;
  assert.ok(!process.env.CI, 'uglifyjs is not installed');
  t.skip('uglifyjs is not installed');
}

test('minified it takes at most 11,062 bytes compressed', (t) => {
  const text = minifiedOr(t);
  if (!text) return;
  t.diagnostic(`minified: ${text.length} bytes, ${compressed(text)} with gzip -9`);
  assert.ok(compressed(text) <= 11062, `${compressed(text)} bytes`);
});

test('minified it passes the tests of what it does', (t) => {
  const text = minifiedOr(t);
  if (!text) return;
  const folder = mkdtempSync(join(tmpdir(), 'minified-')), file = join(folder, 'taillight.js');
  try {
    writeFileSync(file, text);
    const { NODE_TEST_CONTEXT, ...env } = process.env;
    const files = ['collectors', 'page', 'recording', 'requests', 'store', 'transport'].map((name) => fileURLToPath(new URL(`${name}.test.mjs`, import.meta.url)));
    const { status, stdout } = spawnSync(process.execPath, ['--test', ...files], { env: { ...env, TAILLIGHT_CLIENT: file }, encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
