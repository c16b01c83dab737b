// The client's text beside what goes with it: its form as a module, and its types.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { makePage, SOURCE } from './fake.mjs';

const CALLS = ['init', 'push', 'log', 'track', 'metric', 'error', 'render', 'setUser', 'setContext', 'answer', 'consent', 'flush', 'stop'];

test('the module is the script with two edits', async () => {
  const mark = 'const SELF = document.currentScript?.src;';
  assert.equal(SOURCE.split(mark).length, 2, 'the marked line is there once');
  const folder = mkdtempSync(join(tmpdir(), 'taillight-'));
  const file = join(folder, 'taillight.mjs');
  const page = makePage({ idle: true });
  globalThis.self = page.window;
  Object.defineProperty(globalThis, 'taillight', { configurable: true, get: () => page.window.taillight });
  try {
    writeFileSync(file, SOURCE.replace(mark, 'const SELF = import.meta.url;') +
      'export const {' + CALLS.join(', ') + '} = globalThis.taillight;\n');
    const module = await import(pathToFileURL(file).href);
    assert.deepEqual(Object.keys(module).sort(), CALLS.slice().sort());
    module.stop();
  } finally {
    delete globalThis.taillight;
    delete globalThis.self;
    rmSync(folder, { recursive: true });
  }
});

test('the types name every call, every setting and every recorder', () => {
  const types = readFileSync(new URL('../../assets/taillight.d.ts', import.meta.url), 'utf8');
  const calls = [...types.matchAll(/^export function (\w+)/gm)].map((found) => found[1]);
  assert.deepEqual(calls.sort(), Object.keys(makePage().taillight).sort());
  const read = [...SOURCE.matchAll(/\bsettings\.(\w+)/g), ...SOURCE.matchAll(/\{([^{}]*)\} = settings\b/g)].flatMap((found) => found[1].match(/\b(?<!: )\w+/g));
  const settings = new Set([...read, .../const settings = \{([^}]*)\}/.exec(SOURCE)[1].match(/\b\w+(?=: )/g)]), recorders = [.../ RECORDERS = \{\n(.*?)\n\};/s.exec(SOURCE)[1].matchAll(/^\t(\w+)(?:\(\) \{|: \(\) =>)/gm)].map((found) => found[1]);
  assert.deepEqual([recorders.length, settings.size], [18, 20]);
  for (const name of settings) assert.match(types, new RegExp('^  ' + name + '\\?:', 'm'));
  for (const name of recorders.filter((one) => one !== 'leaving')) assert.ok(types.includes("'" + name + "'"), name);
});
