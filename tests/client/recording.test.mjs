// What decides whether an event is kept: consent, settings, sampling, bursts, the app's own rule.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connected, events, makePage, only, settled } from './fake.mjs';

test('where consent is asked for, nothing is hooked, stored, connected or kept before it is given', () => {
  const page = makePage({ dataset: { consent: '' }, idle: true });
  const { fetch, console } = page.window, { warn } = console;
  page.run();
  page.taillight.log('error', 'before');
  page.window.emit('error', { message: 'before', error: new Error('before') });
  page.clock.advance(60000);
  assert.deepEqual([page.sockets.length, Object.keys(page.storage).length, Object.keys(page.local), page.window.fetch, console.warn, page.window.listeners], [0, 0, [], fetch, warn, []]);
  page.taillight.consent(true);
  page.socket.accept();
  page.taillight.log('info', 'after');
  assert.equal(only(page).message, 'after');
});

test('consent taken back forgets what was not sent, here and in the store', () => {
  const page = makePage({ dataset: { consent: 'required' } });
  page.taillight.consent();
  page.taillight.log('info', 'never sent');
  page.clock.advance(2000);
  assert.equal(Object.keys(page.local).length, 1);
  page.taillight.consent(false);
  page.taillight.log('info', 'without consent');
  assert.deepEqual([Object.keys(page.local), Object.keys(page.storage).length, page.socket.closed], [[], 0, true]);
  page.taillight.consent(true);
  page.socket.open = true;
  page.socket.onopen({});
  assert.equal(page.socket.frames[0].next, 2);
  page.socket.say({ t: 'welcome', v: 1, acked: 1 });
  page.taillight.log('info', 'again');
  assert.deepEqual(events(page).map((event) => event.message), ['again']);
});

test('Do Not Track and Global Privacy Control are respected if asked', () => {
  for (const signal of [{ doNotTrack: '1' }, { globalPrivacyControl: true }]) {
    const navigator = { userAgent: 'x', ...signal };
    assert.equal(makePage({ window: { navigator }, dataset: { dnt: '' } }).sockets.length, 0);
    assert.equal(makePage({ window: { navigator } }).sockets.length, 1);
  }
  assert.equal(makePage({ dataset: { dnt: 'true' } }).sockets.length, 1);
});

test('sampling by subtype is off, or the page’s, or the server’s; the kept carry their share and errors are never left out', (t) => {
  const page = connected(), mock = t.mock.method(Math, 'random', () => 0.5);
  page.taillight.metric('a', 1);
  page.taillight.init({ sample: 'custom=0.6, log=0.2' });
  page.taillight.metric('b', 1);
  page.taillight.log('info', 'left out');
  page.taillight.log('error', 'kept');
  page.socket.say({ t: 'config', sample: { custom: 0.4 } });
  page.taillight.metric('c', 1);
  mock.mock.restore();
  assert.deepEqual(events(page).map((event) => [event['metric-name'] || event.message, event.sampled]), [['a', undefined], ['b', 0.6], ['kept', undefined]]);
});

test('the document’s table is a preset: page loads all, calls a tenth, clicks a hundredth, scrolling a thousandth', (t) => {
  for (const [random, kept] of [[0.0005, 3], [0.005, 2], [0.05, 1], [0.5, 0]]) {
    const page = connected({ dataset: { sample: 'document' } }), mock = t.mock.method(Math, 'random', () => random);
    page.document.emit('click', { target: { nodeType: 1, nodeName: 'B', closest: () => null, getAttribute: () => null, querySelector: () => null, matches: () => true, childElementCount: 0, textContent: '', getRootNode: () => ({}) } });
    const request = new page.window.XMLHttpRequest();
    request.open('GET', '/x');
    request.send();
    request.headers(200);
    request.end();
    page.document.documentElement = { scrollHeight: 10, clientHeight: 5 };
    page.window.scrollY = 5;
    page.window.emit('scroll');
    page.clock.advance(250);
    mock.mock.restore();
    assert.equal(events(page).length, kept, String(random));
  }
});

test('equal errors in a burst are told five times, then as one event a second with their count', () => {
  const page = connected(), error = new Error('loop');
  const burst = (count) => { for (let i = 0; i < count; i++) page.window.emit('error', { message: 'loop', filename: 'a.js', lineno: 1, colno: 2, error }); };
  burst(1000);
  for (let i = 0; i < 5; i++) page.socket.ack();
  page.window.emit('error', { message: 'loop', filename: 'a.js', lineno: 9, colno: 2, error });
  page.clock.advance(1000);
  burst(70);
  page.clock.advance(2000);
  page.socket.ack();
  burst(2);
  page.clock.advance(5000);
  const all = events(page);
  assert.deepEqual(all.map((event) => event.count), [undefined, undefined, undefined, undefined, undefined, undefined, 995, 70, undefined, undefined]);
  assert.equal(all.reduce((sum, event) => sum + (event.count || 1), 0), 1073);
  assert.match(all[6].stack, /Error: loop/);
});

test('a burst is told to its end when the page leaves, and other faults fold too', () => {
  const page = connected();
  for (let i = 0; i < 10; i++) {
    page.window.console.warn('render %s', 'again');
    page.window.emit('unhandledrejection', { reason: 'no' });
    page.taillight.error(new Error('own'));
  }
  for (let i = 0; i < 10; i++) page.window.console.warn('different ' + i);
  page.window.emit('pagehide');
  const all = page.socket.events, total = (name) => all.filter((event) => event.message.startsWith(name)).reduce((sum, event) => sum + (event.count || 1), 0);
  assert.deepEqual([total('render'), total('no'), total('own'), total('different')], [10, 10, 10, 10]);
  assert.equal(all.length, 3 * 6 + 10);
});

test('what a page hands over is cut where it is too wide, and stays JSON whatever its values are', () => {
  const page = connected();
  const wide = (value) => Object.fromEntries(Array.from({ length: 60 }, (_, i) => ['k' + i, value]));
  page.taillight.log('info', 'say "it" \\ \n\u2028 \ud800', { wide: wide(1), empty: wide(undefined), rest: { ...wide(undefined), last: 'é' } });
  page.taillight.log('info', 'bEaReR abcdefgh12, 4111-1111-1111-1111, 2345 678', { list: [null, NaN, -0, [], ''] });
  const [first, second] = events(page);
  assert.equal(first.message, 'say "it" \\ \n\u2028 \ud800');
  assert.deepEqual(first.context, { wide: { ...Object.fromEntries(Object.entries(wide(1)).slice(0, 50)), '…': '10 more' }, empty: {}, rest: { last: 'é' } });
  assert.equal(second.message, 'Bearer [redacted], [redacted], 2345 678');
  assert.deepEqual(second.context, { list: [null, 'NaN', 0, [], ''] });
});

test('so many different faults at once are not folded into each other and not remembered without bound', () => {
  const page = connected();
  for (let i = 0; i < 1000; i++) page.taillight.error('fault ' + i);
  page.socket.say({ t: 'ack', seq: 400 });
  page.socket.say({ t: 'request', id: 'r', kind: 'diagnostics' });
  assert.equal(page.socket.of('reply')[0].data.recorded, 1000);
});

test('sanitize sees what is about to be kept, may change it and may refuse it; a broken one keeps everything in', () => {
  const page = connected();
  page.taillight.init({ sanitize: (event) => {
    if (event.message === 'drop') return null;
    if (event.message === 'fail') throw new Error('rule');
    if (event.message === 'loop') event.self = event;
    if (event.message === 'wait') return Promise.resolve(event);
    event.message = event.message.replace('Ann', '***');
    return event;
  } });
  for (const message of ['Ann bought', 'drop', 'fail', 'wait', 'loop']) page.taillight.log('info', message, { password: 'p' });
  const all = events(page);
  assert.deepEqual(all.map((event) => event.message), ['*** bought', 'loop']);
  assert.deepEqual([all[0].context.password, all[1].self], ['[redacted]', '[circular]']);
});

test('e-mail addresses lose their domain anywhere but in stacks, unless told otherwise', () => {
  const page = connected();
  const error = new Error('mail to ann.lee+x@mail.example.co.uk failed');
  error.stack = 'Error: x\n    at f (http://localhost/node_modules/vue@3.4.0/a@b.mjs:1:2)';
  page.taillight.error(error);
  page.taillight.init({ maskEmail: false });
  page.taillight.log('info', 'ann@example.com');
  const [masked, plain] = events(page);
  assert.equal(masked.message, 'mail to ann.lee+x@*** failed');
  assert.match(masked.stack, /a@b\.mjs:1:2/);
  assert.equal(plain.message, 'ann@example.com');
});

test('render, feature use and conversion have the shapes of the document; the context goes with every event', () => {
  const page = connected({ dataset: { app: 'shop', build: 'b7' } });
  page.taillight.setContext({ release: 7, phone: '555' });
  page.taillight.render('UserList', 45, { 'items-count': 100 });
  page.taillight.track('export', { feature: 'export-data', format: 'csv' });
  page.taillight.track('signup', { funnel: 'signup', step: 'email-verified', value: 0 });
  page.taillight.setContext(null);
  page.taillight.track('plain');
  const common = { app: 'shop', build: 'b7' }, context = { release: 7, phone: '[redacted]' };
  assert.deepEqual(events(page), [
    { ...common, type: 'metric', subtype: 'render', component: 'UserList', 'render-time-ms': 45, 'items-count': 100, context },
    { ...common, type: 'analytics', subtype: 'feature-usage', 'event-name': 'export', feature: 'export-data', format: 'csv', context },
    { ...common, type: 'analytics', subtype: 'conversion', 'event-name': 'signup', funnel: 'signup', step: 'email-verified', value: 0, context },
    { ...common, type: 'analytics', subtype: 'custom', 'event-name': 'plain' },
  ]);
});

test('batches wait as long as the settings say', () => {
  const page = connected({ dataset: { batchMs: '5000', batchEvents: '3' } });
  page.taillight.log('info', 'one');
  page.clock.advance(4999);
  assert.equal(page.socket.events.length, 0);
  page.clock.advance(1);
  assert.equal(page.socket.events.length, 1);
  for (let i = 0; i < 3; i++) page.taillight.log('info', 'more');
  assert.equal(page.socket.events.length, 4);
});

test('console.assert speaks only when it fails, console.trace brings its stack', () => {
  const page = connected({ dataset: { console: 'all' } });
  page.window.console.assert = undefined;
  const assertion = connected({ dataset: { console: 'all' }, window: { console: Object.assign(Object.create(null), { assert() {}, trace() {}, error() {} }) } });
  assertion.window.console.assert(true, 'fine');
  assertion.window.console.assert(0, 'cart of %d is empty', 3);
  assertion.window.console.trace('here');
  const [failed, trace] = events(assertion);
  assert.deepEqual([failed.type, failed.message], ['error', 'Assertion failed: cart of %d is empty 3']);
  assert.match(trace.stack, /^Trace\n.*recording\.test\.mjs/s);
});

test('what the app registered by name is answered, one at a time and in ten seconds', async () => {
  const page = connected(), replies = () => Object.fromEntries(page.socket.of('reply').map((frame) => [frame.id, frame.data]));
  let answer;
  page.taillight.answer('cart', () => ({ items: 2, token: 't' }));
  page.taillight.answer('slow', () => new Promise((done) => { answer = done; }));
  page.taillight.answer('broken', () => { throw new Error('no'); });
  page.taillight.answer('ping', () => 'not mine to change');
  for (const kind of ['cart', 'broken', 'ping', 'slow', 'diagnostics', 'toString']) page.socket.say({ t: 'request', id: kind, kind });
  assert.deepEqual(replies(), { cart: { items: 2, token: '[redacted]' }, broken: { error: 'Error: no' }, ping: { now: page.clock.time }, diagnostics: { error: 'busy' }, toString: { error: 'busy' } });
  answer('done');
  await null;
  await null;
  assert.equal(replies().slow, 'done');
  page.socket.say({ t: 'request', id: 'slow2', kind: 'slow' });
  page.clock.advance(10000);
  assert.match(replies().slow2.error, /10 s/);
  answer('too late');
  await null;
  page.socket.say({ t: 'request', id: 'again', kind: 'flush' });
  assert.deepEqual(replies().again, { buffered: 0 });
  assert.equal(page.socket.of('reply').length, 8);
});

test('in a worker errors and requests are recorded', async () => {
  const page = makePage({ src: null, window: { document: undefined, history: undefined, sessionStorage: undefined, localStorage: undefined, XMLHttpRequest: undefined }, idle: true });
  page.run();
  page.taillight.init({ url: 'http://127.0.0.1:8245/', session: 'of-the-page', tab: 't1' });
  page.socket.accept();
  assert.deepEqual([page.socket.frames[0].session, page.socket.frames[0].tab], ['of-the-page', 't1']);
  await page.window.fetch('/api');
  page.window.emit('error', { message: 'in the worker', error: new Error('in the worker') });
  assert.deepEqual(events(page).map((event) => event.subtype), ['api-call', 'javascript']);
});

test('an uncaught error of a worker that tells its own errors is not told by its page too; that of any other is', async () => {
  const held = [], locks = {
    request: async (name, run) => { held.push({ name }); await run(); held.pop(); },
    query: async () => ({ held }),
  };
  const url = 'http://localhost:5173/worker.js', window = { navigator: { userAgent: 'x', locks } };
  const page = connected({ window }), uncaught = (filename) => page.window.emit('error', { message: 'Uncaught', filename, lineno: 1, error: null });
  const worker = makePage({ window: { ...window, document: undefined, location: { href: url, origin: 'http://localhost:5173', pathname: '/worker.js' } }, src: null, idle: true });
  worker.run();
  worker.taillight.init({ url: 'http://127.0.0.1:8245/' });
  for (const name of [url, 'http://localhost:5173/plain.js']) uncaught(name);
  await settled();
  assert.deepEqual(events(page).map((event) => event.location.url), ['http://localhost:5173/plain.js']);
  worker.taillight.stop();
  await settled();
  page.socket.ack();
  locks.query = async () => { throw new Error('denied'); };
  uncaught(url);
  await settled();
  assert.equal(events(page).length, 2);
  assert.deepEqual(held, []);
});

test('new settings while it runs begin only what they concern anew', () => {
  const page = connected({ observe: ['paint', 'longtask', 'resource'] }), { observers, sockets } = page, wrapped = page.window.fetch;
  const before = observers.length;
  page.taillight.init({ url: 'http://127.0.0.1:8245/?k=ABCDEFGHIJKLMNOP', app: 'shop', console: 'log' });
  assert.deepEqual([observers.length, sockets.length, page.window.fetch], [before, 1, wrapped]);
  page.window.console.log('heard');
  page.window.console.warn('not any more');
  assert.deepEqual([only(page).message, only(page).app], ['heard', 'shop']);
  page.taillight.init({ off: 'fetch' });
  assert.notEqual(page.window.fetch, wrapped);
  page.taillight.stop();
  page.taillight.init({ off: '' });
  assert.deepEqual(observers.filter((observer) => observer.alive && observer.options.buffered), [], 'what was told is not told again');
});

test('a frame belongs to the page load it is in', () => {
  const page = connected(), frame = makePage({ idle: true, window: { sessionStorage: page.window.sessionStorage, parent: {} } });
  frame.run();
  frame.socket.accept();
  assert.deepEqual([page.socket.frames[0].load, frame.socket.frames[0].load], [1, 1]);
});

test('one error is one report, whoever brings it; but what is uncaught after all is told', () => {
  const page = connected(), { console } = page.window, thrown = new Error('thrown'), caught = new Error('caught'), handled = new Error('handled');
  page.window.emit('error', { message: 'thrown', error: thrown });
  console.error('it said', thrown);
  page.taillight.error(thrown);
  console.error(caught);
  page.taillight.error(caught);
  page.window.emit('unhandledrejection', { reason: caught });
  page.socket.ack();
  for (let i = 0; i < 3; i++) page.taillight.error(handled);
  page.socket.ack();
  console.error('no error object');
  assert.deepEqual(events(page).map((event) => [event.subtype, event.message]), [['javascript', 'thrown'], ['console', 'Error: caught'], ['promise', 'caught'],
    ['javascript', 'handled'], ['javascript', 'handled'], ['javascript', 'handled'], ['console', 'no error object']]);
});

test('requests that the settings name are left out', async () => {
  const page = connected({ dataset: { ignoreUrls: 'Sentry.io, /collect' } });
  await page.window.fetch('https://o1.ingest.sentry.io/api/1/envelope/');
  page.window.navigator.sendBeacon('/collect?x=1', 'x');
  await page.window.fetch('/api');
  page.taillight.init({ ignoreUrls: ['/api'] });
  await page.window.fetch('/api');
  assert.deepEqual(events(page).map((event) => event.url), ['http://localhost:5173/api']);
});

test('calls made before the client was there are made by it, and later ones too', () => {
  const page = makePage({ idle: true });
  page.window.taillight = [['log', 'info', 'early'], ['setUser', 'u1'], ['toString'], ['nothing']];
  page.run();
  page.socket.accept();
  page.taillight.push(['log', 'info', 'late']);
  assert.deepEqual(events(page).map((event) => [event.message, event['user-id']]), [['early', undefined], ['late', 'u1']]);
});

test('the page says how fast and how large it is', () => {
  const page = connected({ entries: { navigation: [{ domainLookupStart: 1, domainLookupEnd: 3, requestStart: 5, responseStart: 25, responseEnd: 30 }], resource: [{}, {}] } });
  Object.assign(page.document, { querySelectorAll: () => ({ length: 7 }), forms: [1], scripts: [1, 2] });
  page.clock.advance(1500);
  for (const kind of ['perf', 'dom-stats', 'diagnostics']) page.socket.say({ t: 'request', id: kind, kind });
  const [perf, dom, all] = page.socket.of('reply').map((reply) => reply.data);
  assert.deepEqual([perf['up-ms'], perf.navigation.responseStart, perf.resources, perf.requests], [1500, 25, 2, 0]);
  assert.deepEqual(dom, { state: 'loading', elements: 7, forms: 1, scripts: 2 });
  assert.deepEqual([all['up-ms'], all.dom], [1500, dom]);
});

test('a long message leaves room for the frames of its stack', () => {
  const page = connected(), error = new Error('word '.repeat(600));
  error.stack = `Error: ${error.message}\n    at save (http://localhost:5173/src/cart.js:1:2)`;
  page.taillight.error(error);
  const [{ message, stack }] = events(page);
  assert.equal(message.length, 500);
  assert.match(stack, /^Error: word .*…\n {4}at save \(http:\/\/localhost:5173\/src\/cart\.js:1:2\)$/);
  page.taillight.error(Object.assign(new Error('odd'), { stack: 7 }));
  assert.equal(events(page)[1].message, 'odd');
});
