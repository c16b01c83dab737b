// Vitals, long tasks, and what the user and the page's life bring.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connected, element, events, makePage, only } from './fake.mjs';

const TYPES = ['paint', 'largest-contentful-paint', 'layout-shift', 'event', 'first-input', 'long-animation-frame', 'longtask'];
const navigation = [{ type: 'navigate', domainLookupStart: 5, domainLookupEnd: 9, connectStart: 9, connectEnd: 30, requestStart: 31, responseStart: 80, activationStart: 0, loadEventEnd: 0 }];
const resource = [{ name: 'http://localhost:5173/hero.jpg', startTime: 500, requestStart: 600, responseEnd: 3000 }];

function measured(changes) {
  const page = connected({ observe: TYPES, entries: { navigation, resource }, dataset: { off: 'visibility' }, ...changes });
  page.clock.advance(3000);
  page.vitals = () => events(page).map((event) => [event.vital, Math.round(event.value * 1e4) / 1e4, event.final]);
  page.hide = () => {
    page.document.visibilityState = 'hidden';
    page.document.emit('visibilitychange', { timeStamp: page.window.performance.now() });
  };
  return page;
}

test('FCP and TTFB are told once, at the first paint', () => {
  const page = measured();
  page.perform('paint', [{ name: 'first-paint', startTime: 700 }, { name: 'first-contentful-paint', startTime: 1900.4 }]);
  assert.deepEqual(page.vitals(), [['FCP', 1900.4, true], ['TTFB', 80, true], ['CLS', 0, false]]);
  const [fcp, ttfb] = events(page);
  assert.deepEqual(ttfb['perf-entry'], navigation);
  assert.deepEqual([fcp.type, fcp.subtype, fcp['navigation-type'], fcp['perf-entry']], ['metric', 'web-vital', 'navigate', navigation]);
});

test('LCP follows the largest element and is final at the first input', () => {
  const page = measured();
  page.perform('largest-contentful-paint', { startTime: 900, element: element('h1', { id: 'title' }) });
  page.perform('largest-contentful-paint', { startTime: 4100, url: 'http://localhost:5173/hero.jpg', element: element('img', { id: 'hero' }) });
  page.window.emit('click', { isTrusted: false });
  page.window.emit('click', { isTrusted: true });
  page.perform('largest-contentful-paint', { startTime: 5000 });
  page.hide();
  assert.deepEqual(page.vitals(), [['LCP', 900, false], ['LCP', 4100, false], ['LCP', 4100, true]]);
  const last = events(page).pop();
  assert.equal(last.element, 'img#hero');
  const entry = { entryType: 'largest-contentful-paint', startTime: 4100, url: 'http://localhost:5173/hero.jpg', element: '<img#hero>' };
  assert.deepEqual(last['perf-entry'], [navigation[0], entry, resource[0]]);
  assert.deepEqual(events(page)[0]['perf-entry'].filter((one) => one.entryType !== entry.entryType), [navigation[0], 0]);
});

test('CLS is the largest window of shifts: a second apart at most, five seconds long at most, none after input', () => {
  const page = measured();
  const shift = (startTime, value, hadRecentInput) => page.perform('layout-shift', { startTime, value, hadRecentInput: !!hadRecentInput, sources: [{ node: element('div', { id: 'at' + startTime / 100 }) }] });
  page.perform('paint', { name: 'first-contentful-paint', startTime: 100 });
  shift(100, 0.05);
  shift(900, 0.05);
  shift(950, 0.5, true);
  shift(1950, 0.08);
  page.hide();
  assert.deepEqual(page.vitals().filter(([name]) => name === 'CLS'), [['CLS', 0, false], ['CLS', 0.05, false], ['CLS', 0.1, false], ['CLS', 0.1, true]]);
  assert.equal(events(page).pop().element, 'div#at9');
  for (let at = 0; at < 8; at++) shift(10000 + at * 900, 0.04);
  page.document.visibilityState = 'visible';
  page.document.emit('visibilitychange');
  page.hide();
  const final = events(page).pop();
  assert.deepEqual([final.vital, final.final], ['CLS', true]);
  assert.ok(Math.abs(final.value - 0.24) < 1e-9, 'six of eight fit into five seconds');
});

test('a browser that knows no layout shifts has no CLS', () => {
  const page = measured({ observe: ['paint'] });
  page.perform('paint', { name: 'first-contentful-paint', startTime: 100 });
  page.hide();
  assert.deepEqual(page.vitals().map(([name]) => name), ['FCP', 'TTFB']);
});

test('CLS of a page that was never painted is not told', () => {
  const page = measured();
  page.perform('layout-shift', { startTime: 10, value: 0.3 });
  page.hide();
  assert.deepEqual(page.vitals(), []);
});

test('INP is the longest interaction, without one for every fifty', () => {
  const page = measured();
  page.window.performance.interactionCount = 40;
  const interact = (id, duration, more) => page.perform('event', { interactionId: id, duration, startTime: 1000, processingStart: 1030, processingEnd: 1100, name: 'pointerup', target: element('button', { id: 'b' + id }), ...more });
  const before = measured();
  before.perform('event', { interactionId: 0, duration: 900 });
  before.hide();
  assert.deepEqual(before.vitals(), []);
  interact(1, 312, { name: 'pointerdown', target: null, processingEnd: 1031 });
  interact(1, 312);
  page.clock.advance(100);
  page.window.performance.interactionCount = 60;
  interact(2, 120);
  interact(2, 240, { name: 'click' });
  page.hide();
  assert.deepEqual(page.vitals(), [['INP', 312, false], ['INP', 240, true]], 'of 60 interactions the second longest counts');
  const first = events(page)[0];
  const { name, startTime, processingStart, processingEnd, duration } = first['perf-entry'][0];
  assert.deepEqual([first.element, name, startTime, processingStart, processingEnd, duration], ['button#b1', 'pointerup', 1000, 1030, 1100, 312]);

  const uncounted = measured();
  delete uncounted.window.performance.interactionCount;
  for (const id of [1, 2]) uncounted.perform('event', { interactionId: id, duration: 100 * id, processingStart: 1, processingEnd: 2 });
  uncounted.hide();
  assert.deepEqual(uncounted.vitals(), [['INP', 200, true]], 'a browser that does not count them');
});

test('a page that begins in the background has no paint times', () => {
  const page = makePage({ observe: TYPES, entries: { navigation }, idle: true });
  page.document.visibilityState = 'hidden';
  page.run();
  page.socket.accept();
  page.perform('paint', { name: 'first-contentful-paint', startTime: 100 });
  page.perform('largest-contentful-paint', { startTime: 100 });
  assert.deepEqual(events(page).filter((event) => event.vital), []);
});

test('what observers still hold when the page is hidden counts', () => {
  const page = measured();
  page.perform('paint', { name: 'first-contentful-paint', startTime: 100 });
  page.perform('layout-shift', { startTime: 300, value: 0.2 }, true);
  page.hide();
  assert.deepEqual(page.vitals().pop(), ['CLS', 0.2, true]);
});

test('a return from the back/forward cache is a page load of its own', () => {
  const page = measured();
  page.perform('paint', { name: 'first-contentful-paint', startTime: 100 });
  page.hide();
  page.socket.say({ t: 'ack', seq: 100 });
  page.document.visibilityState = 'visible';
  page.window.emit('pageshow', { persisted: true, timeStamp: page.window.performance.now() });
  page.socket.accept({ acked: 100 });
  page.clock.advance(24);
  while (page.frames.length) page.frames.shift()();
  const told = events(page).filter((event) => event['navigation-type'] === 'back-forward-cache');
  assert.deepEqual(told.map((event) => [event.vital, event.value]), [['FCP', 24], ['LCP', 24], ['TTFB', 0]]);
});

test('a long animation frame names its scripts; where there are none of those, a long task is told', () => {
  const page = measured(), scripts = [{ duration: 20, sourceURL: 'http://localhost:5173/a.js', invoker: 'TimerHandler:setTimeout' },
    { duration: 90, sourceURL: 'http://localhost:5173/b.js', sourceFunctionName: 'render', sourceCharPosition: 7, invoker: 'BUTTON#save.onclick', forcedStyleAndLayoutDuration: 11 }];
  page.perform('long-animation-frame', { startTime: 10, duration: 130, blockingDuration: 60, renderStart: 120, scripts });
  page.perform('longtask', { startTime: 10, duration: 110 });
  const event = only(page);
  assert.deepEqual(event, { type: 'metric', subtype: 'long-task',
    'perf-entry': { entryType: 'long-animation-frame', startTime: 10, duration: 130, blockingDuration: 60, renderStart: 120, scripts } });
  const older = connected({ observe: ['longtask'] });
  older.perform('longtask', { startTime: 10, duration: 110 });
  assert.deepEqual(only(older)['perf-entry'], { entryType: 'longtask', startTime: 10, duration: 110 });
});

test('a submitted form is told without a word of it', () => {
  const page = connected();
  const form = element('form', { id: 'checkout' }, null, 'typed');
  page.document.emit('submit', { composedPath: () => [form] });
  assert.deepEqual(only(page), { type: 'analytics', subtype: 'user-action', action: 'submit', 'element-id': 'checkout', element: 'form#checkout' });
});

test('masked parts keep their words to themselves, and ids made by a renderer name nothing', () => {
  const page = connected();
  const card = element('section', { 'data-taillight-mask': '' }), inside = element('button', { 'data-testid': 'pay' }, card, 'Pay 4,000 for Ann');
  const row = element('div', { id: ':r1:' }), button = element('button', {}, row, 'Open');
  for (const target of [inside, button]) page.document.emit('click', { composedPath: () => [target] });
  const [masked, rendered] = events(page);
  assert.deepEqual([masked['element-text'], masked.element], [undefined, 'button[data-testid="pay"]']);
  assert.deepEqual([rendered['element-text'], rendered.element], ['Open', 'div > button']);
});

test('an editor’s lines keep to themselves what was typed into a field beside them', () => {
  const page = connected();
  const editor = element('div', { id: 'editor' }), field = element('textarea', {}, editor), line = element('span', {}, element('pre', {}, editor), 'const pin = 1234;');
  for (const focused of [field, element('div', { role: 'textbox' }, editor), page.document.body]) {
    page.document.activeElement = focused;
    page.document.emit('click', { composedPath: () => [line] });
  }
  assert.deepEqual(events(page).map((event) => event['element-text']), [undefined, undefined, 'const pin = 1234;']);
});

test('navigation inside the page is told when the address changes, by either way of hearing of it', () => {
  const page = connected();
  page.window.history.pushState({}, '', '/cart?token=t');
  page.window.history.pushState({}, '', '/cart?token=t');
  page.window.history.replaceState({}, '', '/cart#pay');
  page.go('/shop/');
  page.window.emit('popstate');
  const all = events(page);
  assert.deepEqual(all.map((event) => [event.subtype, event.action, event.url]), [['navigation', 'push', 'http://localhost:5173/cart?token=[redacted]'],
    ['navigation', 'replace', 'http://localhost:5173/cart#pay'], ['navigation', 'traverse', 'http://localhost:5173/shop/']]);
  assert.equal(all[1].from, 'http://localhost:5173/cart?token=[redacted]');

  const Target = Object.getPrototypeOf(Object.getPrototypeOf(connected().window)).constructor;
  const api = makePage().document;
  const modern = connected({ window: { navigation: Object.assign(api, {}) } });
  modern.go('/next');
  api.emit('currententrychange', { navigationType: 'push' });
  assert.deepEqual(only(modern).action, 'push');
  assert.ok(Target);
});

test('visibility, connectivity and scroll depth', () => {
  const page = connected();
  page.document.visibilityState = 'hidden';
  page.document.emit('visibilitychange');
  page.window.emit('offline');
  page.window.emit('online');
  page.document.documentElement = { scrollHeight: 4000, clientHeight: 1000 };
  for (const top of [100, 1000, 1200, 900, 3000]) {
    page.window.scrollY = top;
    page.window.emit('scroll');
    page.clock.advance(250);
    page.socket.ack();
  }
  assert.deepEqual(events(page).map((event) => [event.subtype, event.visible, event.online, event.depth]), [['visibility', false, undefined, undefined],
    ['connectivity', undefined, false, undefined], ['connectivity', undefined, true, undefined], ['scroll', undefined, undefined, 25], ['scroll', undefined, undefined, 50], ['scroll', undefined, undefined, 100]]);
});

test('data-off leaves single recorders out', () => {
  const page = makePage({ dataset: { off: 'fetch, user console' }, idle: true });
  const { fetch, console } = page.window, { warn } = console;
  page.run();
  page.socket.accept();
  page.document.emit('click', { composedPath: () => [element('button')] });
  assert.deepEqual([page.window.fetch, console.warn, events(page)], [fetch, warn, []]);
});
