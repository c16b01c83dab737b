// What is recorded of a page, in which shape, and that the page never notices.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connected, element, events, fakeConsole, makePage, only } from './fake.mjs';

test('every event carries time and session, and the user once known', () => {
  const page = connected();
  page.taillight.log('info', 'before');
  page.taillight.setUser(7);
  page.taillight.log('info', 'after');
  page.taillight.flush();
  const [before, after] = page.socket.events;
  assert.equal(before.timestamp, page.clock.time);
  assert.equal(before['session-id'], page.socket.frames[0].session);
  assert.equal('user-id' in before, false);
  assert.equal(after['user-id'], '7');
});

test('an uncaught error: message, name, stack, place, causes', () => {
  const page = connected();
  const deep = new Error('disk'), error = new TypeError('no rate');
  error.cause = deep;
  deep.cause = error;
  page.window.emit('error', { message: 'Uncaught TypeError: no rate', filename: 'http://localhost:5173/a.js', lineno: 42, colno: 15, error });
  assert.equal(page.socket.events.length, 1, 'at once');
  const event = only(page);
  assert.deepEqual([event.type, event.subtype, event.severity, event.name, event.message], ['error', 'javascript', 'high', 'TypeError', 'no rate']);
  assert.deepEqual(event.location, { url: 'http://localhost:5173/a.js', line: 42, column: 15 });
  assert.match(event.stack, /TypeError: no rate\n/);
  assert.deepEqual([event.cause.message, event.cause.cause.message, event.cause.cause.cause], ['disk', 'no rate', '[circular]']);
});

test('an AggregateError names its errors, and values that are no errors keep what they are', () => {
  const page = connected();
  page.window.emit('unhandledrejection', { reason: new AggregateError([new Error('one'), 'two'], 'all failed') });
  page.window.emit('unhandledrejection', { reason: undefined });
  page.window.emit('error', { message: 'Uncaught #<Object>', error: { code: 7 } });
  page.window.emit('error', { message: 'Script error.', error: null });
  const [all, nothing, object, foreign] = events(page);
  assert.deepEqual([all.subtype, all.message, all.errors.map((error) => error.message ?? error)], ['promise', 'all failed', ['one', 'two']]);
  assert.equal(nothing.message, 'undefined');
  assert.deepEqual(object.value, { code: 7 });
  assert.deepEqual([foreign.message, foreign.stack], ['Script error.', undefined]);
});

test('a failed image is a resource error; the client’s own script is not', () => {
  const page = connected();
  page.window.emit('error', { target: element('img', { src: 'http://localhost:5173/x.png', id: 'hero' }) });
  page.window.emit('error', { target: element('script', { src: 'http://127.0.0.1:8245/taillight.mjs' }) });
  page.window.emit('error', { target: element('image', { href: { baseVal: '/drawn.png' } }) });
  const [event, drawn] = events(page);
  assert.deepEqual([event.type, event.subtype, event.url, event.element], ['error', 'resource', 'http://localhost:5173/x.png', 'img#hero']);
  assert.deepEqual([drawn.subtype, drawn.url], ['resource', '/drawn.png']);
});

test('console lines: the original is called with its this and arguments, then the line is recorded', () => {
  const page = connected(), { console } = page.window;
  const loop = { name: 'loop' };
  loop.self = loop;
  const trap = { get boom() { throw new Error('getter was run'); } };
  const button = element('button', { id: 'buy', class: 'btn wide' });
  console.warn('%s has %d of %i, %f%% %o%c!', 'cart', 2.7, '9', 0.5, { a: 1 }, 'color: red', 'rest');
  console.error(loop, trap, button, new Map([['k', { v: 1 }]]), new Set([1]), undefined, NaN, 10n, Symbol('s'), () => 1, new Uint8Array(4), new Date(0));
  console.log('not on the list');
  const [warn, error] = events(page);
  assert.deepEqual([warn.type, warn.subtype, warn.level, warn.severity, warn.message], ['log', 'console', 'warn', 'low', 'cart has 2 of 9, 0.5% {"a":1}! rest']);
  assert.deepEqual([error.type, error.level, error.severity], ['error', 'error', 'medium']);
  assert.deepEqual(error.args, [{ name: 'loop', self: '[circular]' }, { boom: '[getter]' }, '<button#buy>', { 'Map(1)': [['k', { v: 1 }]] },
    { 'Set(1)': [1] }, 'undefined', 'NaN', '10n', 'Symbol(s)', '[function anonymous]', '[Uint8Array 4 bytes]', '1970-01-01T00:00:00.000Z']);
  assert.equal(console.lines.length, 3);
  assert.equal(console.lines[1].args[0], loop);
  assert.equal(console.lines[1].self, console);
});

test('an Error among console arguments brings its stack, also behind a format', () => {
  const page = connected();
  page.window.console.error('%o\n\n%s', new RangeError('caught by a boundary'), 'in <App>');
  const event = only(page);
  assert.deepEqual([event.name, event.message], ['RangeError', 'RangeError: caught by a boundary\n\nin <App>']);
  assert.match(event.stack, /RangeError/);
});

test('data-console chooses the levels', () => {
  for (const [list, expected] of [['all', ['trace', 'debug', 'info', 'info', 'warn', 'error']], ['off', []], ['log', ['info']]]) {
    const page = connected({ dataset: { console: list } });
    for (const name of ['trace', 'debug', 'log', 'info', 'warn', 'error']) page.window.console[name]('x');
    assert.deepEqual(events(page).map((event) => event.level).sort(), expected.sort(), list);
  }
});

test('a Proxy argument that logs while it is read does not record itself', () => {
  const page = connected(), { console } = page.window;
  console.warn(new Proxy({}, { ownKeys() { console.warn('inside'); return []; } }));
  assert.equal(events(page).length, 1);
  assert.ok(console.lines.length >= 2);
});

test('fetch: the response, the error, this and the arguments are the page’s own', async () => {
  const response = { status: 503 }, failure = new TypeError('Failed to fetch'), calls = [];
  const fetch = function fetch(input, init) {
    calls.push({ self: this, input, init });
    return input === '/down' ? Promise.reject(failure) : Promise.resolve(response);
  };
  const page = connected({ window: { fetch } }), init = { method: 'post' };
  assert.deepEqual([page.window.fetch.name, page.window.fetch.length], ['fetch', 2]);
  assert.equal(await page.window.fetch('/api/users?token=t&page=2', init), response);
  const bare = page.window.fetch;
  await assert.rejects(bare('/down'), (error) => error === failure && error.message === 'Failed to fetch');
  assert.deepEqual([calls[0].self, calls[0].init, calls[1].self], [page.window, init, undefined]);
  const [network, { initiator, 'perf-entry': entry, ...call }] = events(page);
  assert.deepEqual(entry, {}, 'none was there');
  assert.match(initiator, /^ +at .*collectors\.test\.mjs/ms);
  assert.deepEqual(call, { type: 'metric', subtype: 'api-call', url: 'http://localhost:5173/api/users?token=[redacted]&page=2', method: 'POST', 'duration-ms': 0, status: 503 });
  assert.deepEqual([network.type, network.subtype, network.message, network.method, network.url, network.severity],
    ['error', 'network', 'Failed to fetch', 'GET', 'http://localhost:5173/down', 'medium']);
  assert.match(network.stack, /^TypeError: Failed to fetch\n.*collectors\.test\.mjs/s);
});

test('fetch takes URL and Request objects, and init wins over the request', async () => {
  const page = connected();
  await page.window.fetch(new URL('http://localhost:5173/u'));
  await page.window.fetch(new Request('http://localhost:5173/r', { method: 'DELETE' }));
  await page.window.fetch(new Request('http://localhost:5173/i', { method: 'DELETE' }), { method: 'put' });
  await page.window.fetch('http://127.0.0.1:8245/v1/events', { method: 'POST' });
  assert.deepEqual(events(page).map((event) => event.method + ' ' + event.url.slice(21)), ['GET /u', 'DELETE /r', 'PUT /i']);
});

test('an abort is no error; a timeout is one', async () => {
  const stop = new AbortController();
  stop.abort('bye');
  for (const [error, init, expected] of [
    [new DOMException('aborted', 'AbortError'), undefined, ['metric', true]],
    ['bye', { signal: stop.signal }, ['metric', true]],
    [new DOMException('too slow', 'TimeoutError'), undefined, ['error', undefined]],
  ]) {
    const page = connected({ window: { fetch: () => Promise.reject(error) } });
    await page.window.fetch('/x', init).then(assert.fail, (got) => assert.equal(got, error));
    const event = only(page);
    assert.deepEqual([event.type, event.aborted], expected);
  }
});

test('what is not answered when the page ends is told as aborted, and that once', async () => {
  const ends = [];
  const page = connected({ window: { fetch: (url) => (url === '/answered' ? Promise.resolve({ status: 200 }) : new Promise((...end) => ends.push(end))) } });
  const { fetch } = page.window;
  await fetch('/answered');
  const [fails, waits] = [fetch('/fails', { method: 'POST' }), fetch('/waits')];
  page.clock.advance(40);
  page.window.emit('pagehide', { persisted: true });
  // One may be told to the page as failed while it ends, and one be answered after all when it comes back.
  ends[0][1](new TypeError('Failed to fetch'));
  await assert.rejects(fails, TypeError);
  page.window.emit('pageshow', { persisted: true });
  page.socket.accept();
  ends[1][0]({ status: 200 });
  await waits;
  page.taillight.flush();
  const told = page.sockets.flatMap((socket) => socket.events).filter((event, i, all) => all.findIndex((one) => one.seq === event.seq) === i);
  assert.deepEqual(told.map((event) => [event.url.slice(21), event.method, event.aborted, event['duration-ms']]).sort(),
    [['/answered', 'GET', undefined, 0], ['/fails', 'POST', true, 40], ['/waits', 'GET', true, 40]]);
});

test('a rejection that the page does not handle stays unhandled: the client hangs nothing beside the page’s own chain', async () => {
  const inner = Promise.reject(new Error('nobody'));
  const branches = [];
  inner.then = (...handlers) => {
    branches.push(Promise.prototype.then.apply(inner, handlers));
    return branches[0];
  };
  const outer = connected({ window: { fetch: () => inner } }).window.fetch('/x');
  assert.equal(branches.length, 1);
  assert.equal(outer, branches[0]);
  await assert.rejects(outer, /nobody/);
});

test('a fetch that throws at once, or returns no promise, is passed through', () => {
  const error = new Error('sync');
  assert.throws(() => connected({ window: { fetch() { throw error; } } }).window.fetch('/x'), (got) => got === error);
  assert.equal(connected({ window: { fetch: () => 5 } }).window.fetch('/x'), 5);
});

test('a page load is one event, after loadEventEnd, with what the browser measured', () => {
  const entry = { startTime: 0, domainLookupStart: 1, domainLookupEnd: 46, connectStart: 50, secureConnectionStart: 170, connectEnd: 400, requestStart: 400,
    responseStart: 1200, responseEnd: 1256, type: 'reload', domContentLoadedEventEnd: 1420, loadEventEnd: 0, transferSize: 1024 };
  const resources = [{ name: 'http://localhost:5173/a.js', transferSize: 2048, initiatorType: 'script', duration: 12 }, { name: 'http://127.0.0.1:8245/taillight.js?k=K', transferSize: 9000 }];
  const page = connected({ observe: ['navigation'], entries: { resource: resources } });
  page.perform('navigation', entry);
  assert.deepEqual(events(page), []);
  for (let twice = 0; twice < 2; twice++) page.perform('navigation', { ...entry, loadEventEnd: 2340 });
  assert.deepEqual(only(page), { type: 'metric', subtype: 'page-load', url: 'http://localhost:5173/shop/?token=[redacted]',
    resources: { count: 1, bytes: 2048, kinds: { script: 1 }, slowest: resources[0] }, 'perf-entry': { entryType: 'navigation', ...entry, loadEventEnd: 2340 } });
});

test('clicks: the control, never what was typed', () => {
  const page = connected();
  const main = element('main', { id: 'main' }), form = element('form', {}, main);
  const save = element('button', { id: 'save-button', class: 'primary' }, form, ' Save\n changes ');
  const icon = element('i', {}, save);
  const clicks = [icon, element('input', {}, form, 'typed'), element('p', { contenteditable: '' }, main, 'typed'), element('a', {}, main, 'x'.repeat(50)),
    element('div', { 'data-taillight-ignore': '' }, main, 'private')];
  for (const target of clicks) page.document.emit('click', { composedPath: () => [target] });
  const all = events(page);
  assert.deepEqual(all[0], { type: 'analytics', subtype: 'user-action', action: 'click', 'element-id': 'save-button', 'element-class': 'primary',
    'element-text': 'Save changes', element: 'button#save-button' });
  assert.deepEqual(all.map((event) => event.element), ['button#save-button', 'main#main > form > input', 'main#main > p', 'main#main > a']);
  assert.deepEqual(all.slice(1).map((event) => event['element-text']), [undefined, undefined, undefined]);
});

test('the calls: log, track, metric and error have the shapes of the contract', () => {
  const page = connected();
  page.taillight.log('WARN', 'profile updated', { fields: ['email'] });
  page.taillight.track('export-data', { format: 'csv' });
  page.taillight.metric('cart.items', 3, 'items');
  page.taillight.error(new Error('handled'), { step: 2 });
  const [log, track, metric, error] = events(page);
  assert.deepEqual(log, { type: 'log', level: 'warn', message: 'profile updated', context: { fields: ['email'] } });
  assert.deepEqual(track, { type: 'analytics', subtype: 'custom', 'event-name': 'export-data', properties: { format: 'csv' } });
  assert.deepEqual(metric, { type: 'metric', subtype: 'custom', 'metric-name': 'cart.items', value: 3, unit: 'items' });
  assert.deepEqual([error.type, error.subtype, error.message, error.handled, error.context], ['error', 'javascript', 'handled', true, { step: 2 }]);
});

test('secrets are gone before the buffer', () => {
  const page = connected();
  page.taillight.log('info', 'Bearer abcdefgh12345678 and 4111 1111 1111 1111 at https://me:pw@host/x?api_key=1&q=2#access_token=3', {
    apiKey: 'a', 'Credit-Card': 'b', nested: [{ refresh_token: 'c', phone: '555', tokens: 12 }], email: 'me@example.com', at: 1704067200000, jwt: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln' });
  page.taillight.track('t', { phone: '555', password: null });
  const [log, track] = events(page);
  assert.equal(log.message, 'Bearer [redacted] and [redacted] at https://[redacted]@host/x?api_key=[redacted]&q=2#access_token=[redacted]');
  assert.deepEqual(log.context, { apiKey: '[redacted]', 'Credit-Card': '[redacted]', nested: [{ refresh_token: '[redacted]', phone: '[redacted]', tokens: 12 }],
    email: 'me@***', at: 1704067200000, jwt: '[redacted]' });
  assert.deepEqual(track.properties, { phone: '555', password: null });
});

test('the secret of a URL is known with its name escaped, and in a URL that is a parameter', () => {
  const page = connected();
  const urls = [
    ['/a?access%5Ftoken=1&q=2', '/a?access%5Ftoken=[redacted]&q=2'], ['/a?%74oken=1', '/a?%74oken=[redacted]'], ['/a?q%=1&token=%', '/a?q%=1&token=[redacted]'],
    ['/a?next=/b?token=1&q=2', '/a?next=/b?token=[redacted]&q=2'], ['/a?next=%2Fb%3Ftoken%3D1%26x=2&q=3', '/a?next=%2Fb%3Ftoken%3D[redacted]&q=3'],
    ['/a?next=%2Fb%3Fq%3D1%26token%3D2', '/a?next=%2Fb%3Fq%3D1%26token%3D[redacted]'], ['/a?tokens=1&next=/b?q=2', '/a?tokens=1&next=/b?q=2'],
  ];
  for (const [url] of urls) page.taillight.log('info', url);
  assert.deepEqual(events(page).map((event) => event.message), urls.map(([, clean]) => clean));
});

test('lengths are bounded, by settings for message and stack, and a huge value stays one small event', () => {
  const page = connected();
  const error = new Error('m'.repeat(5000));
  error.stack = 's'.repeat(9000);
  page.taillight.error(error);
  page.taillight.init({ maxMessage: 50, maxStack: 60 });
  page.taillight.error(error);
  const wide = (depth) => (depth ? Object.fromEntries(Array.from({ length: 60 }, (_, i) => ['k' + i, wide(depth - 1)])) : 'leaf');
  page.taillight.log('info', 'wide', wide(3));
  page.taillight.log('info', 'list', Array.from({ length: 1e5 }, (_, i) => i));
  page.socket.say({ t: 'ack', seq: 2 });
  const [first, second, ...large] = events(page);
  assert.deepEqual([first.message.length, first.stack.length, second.message.length, second.stack.length], [500, 2000, 50, 60]);
  assert.equal(large.length, 2);
  for (const event of large) assert.ok(JSON.stringify(event).length < 64000, String(JSON.stringify(event).length));
});

test('a hostile page part never makes the client throw into it', () => {
  const bad = () => { throw new Error('hostile'); };
  const broken = { get window() { return bad(); } };
  for (const window of [
    { WebSocket: undefined }, { WebSocket: function () { bad(); } }, { console: undefined }, { fetch: undefined }, { performance: undefined },
    { navigator: undefined }, { crypto: undefined }, { document: undefined }, { location: undefined },
    { sessionStorage: new Proxy({}, { get: bad, set: bad, deleteProperty: bad }) }, { sessionStorage: undefined },
  ]) {
    const page = makePage({ window, idle: true });
    page.run();
    page.taillight.init({ url: 'http://127.0.0.1:8245/' });
    page.taillight.log('info', broken, { broken });
    page.taillight.error({ get message() { return bad(); } });
    page.taillight.track(Symbol('s'), new Proxy({}, { ownKeys: bad }));
    page.window.emit('error', { get error() { return bad(); } });
    page.window.emit('unhandledrejection', { get reason() { return bad(); } });
    page.clock.advance(1000);
    page.window.emit('pagehide');
    page.taillight.stop();
  }
});

test('stop gives back what it replaced, unless somebody wrapped it since; loading twice changes nothing', () => {
  const page = makePage({ idle: true });
  const { fetch, console } = page.window, { warn, error } = console;
  page.run();
  page.socket.accept();
  const api = page.taillight, wrapped = page.window.fetch;
  page.run();
  assert.deepEqual([page.taillight, page.window.fetch, page.sockets.length], [api, wrapped, 1]);
  const other = (...args) => wrapped(...args);
  page.window.fetch = other;
  api.stop();
  assert.deepEqual([console.warn, console.error, page.window.fetch], [warn, error, other]);
  assert.deepEqual([page.window.listeners, page.document.listeners], [[], []]);
  assert.notEqual(wrapped, fetch);
  console.warn('after stop');
  api.log('info', 'after stop');
  page.clock.advance(60000);
  assert.deepEqual([page.socket.events, page.sockets.length], [[], 1]);
});

test('init after stop starts again and records each thing once', async () => {
  const page = connected(), wrapped = page.window.fetch;
  page.window.fetch = (...args) => wrapped(...args);
  page.taillight.stop();
  page.taillight.init();
  page.socket.accept();
  await page.window.fetch('/once');
  page.window.console.warn('once');
  assert.deepEqual(events(page).map((event) => event.subtype), ['api-call', 'console']);
});

test('inside a bundle the client waits for init', () => {
  const page = makePage({ src: 'http://localhost:5173/bundle.js' });
  assert.equal(page.sockets.length, 0);
  page.taillight.init({ url: 'http://127.0.0.1:9000/?k=KEY', user: 'u' });
  assert.deepEqual([page.socket.url, page.socket.protocols], ['ws://127.0.0.1:9000/v1/ws', ['taillight.v1', 'k.KEY']]);
});

test('the console of the page is its own again when a line makes it throw', () => {
  const console = fakeConsole();
  console.warn = () => { throw new Error('page console'); };
  const page = connected({ window: { console } });
  assert.throws(() => page.window.console.warn('x'), /page console/);
  page.taillight.log('info', 'still there');
  assert.equal(only(page).message, 'still there');
});

test('a proxy that was revoked is told as an object, and the event with it', async () => {
  const page = connected(), { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  page.window.console.error('draft lost', proxy);
  page.taillight.log('info', 'kept', { draft: proxy, after: 1 });
  page.window.emit('unhandledrejection', { reason: proxy });
  const [error, log, rejection] = events(page);
  assert.deepEqual([error.message, error.args], ['draft lost [object]', ['draft lost', '[object]']]);
  assert.deepEqual(log.context, { draft: '[object]', after: 1 });
  assert.equal(rejection.message, '[object]');
});

test('an element among thousands is told by its place, one beyond a thousand without it and with no more steps', () => {
  const page = connected(), body = element('body'), rows = Array.from({ length: 1500 }, () => element('p', {}, body));
  let asked = 0;
  for (const row of rows) {
    const before = Object.getOwnPropertyDescriptor(row, 'previousElementSibling').get;
    Object.defineProperty(row, 'previousElementSibling', { get() { asked++; return before.call(row); } });
  }
  page.taillight.log('info', 'rows', { second: rows[1], last: rows[1499] });
  const { second, last } = only(page).context;
  assert.equal(second, '<body > p:nth-of-type(2)>');
  assert.equal(last, '<body > p>');
  assert.ok(asked < 1100, `${asked} siblings`);
});

test('what is masked or ignored is so inside of shadow roots too', () => {
  const page = connected(), masked = element('div', { 'data-taillight-mask': '' }), ignored = element('div', { 'data-taillight-ignore': '' });
  for (const host of [masked, ignored]) {
    const button = element('button', { host }, element('section', { host }), 'Ann Smith, balance 5000');
    page.document.emit('click', { target: button, composedPath: () => [button] });
  }
  const { 'element-text': text, element: path } = only(page);
  assert.deepEqual([text, path], [undefined, 'div > section > button']);
});
