// Requests of every kind: what is told of them, and that the page cannot tell the difference.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connected, events, only, settled } from './fake.mjs';

const entry = (page, changes) => Object.assign({ name: 'http://localhost:5173/api', startTime: page.window.performance.now(), domainLookupStart: 1, domainLookupEnd: 3, connectStart: 3, connectEnd: 9,
  secureConnectionStart: 5, requestStart: 10, responseStart: 40, responseEnd: page.window.performance.now() + 60, transferSize: 300, encodedBodySize: 200, decodedBodySize: 900, nextHopProtocol: 'h2' }, changes);

test('a fetch is told with its body’s end, sizes and phases once the browser knows them', async () => {
  const page = connected({ observe: ['resource'] });
  const began = entry(page);
  await page.window.fetch('/api#part');
  assert.deepEqual(events(page, { flush: false }), [], 'the body is still on its way');
  page.clock.advance(60);
  page.perform('resource', entry(page, { name: 'http://localhost:5173/other' }));
  page.perform('resource', began);
  const { url, status, 'perf-entry': measured, 'duration-ms': headers } = only(page);
  assert.deepEqual({ url, status, measured, headers }, { url: 'http://localhost:5173/api#part', status: 200, measured: { ...began, entryType: 'resource' }, headers: 0 });
});

test('a fetch whose body stays open is told without its end, after three seconds or when the page leaves', async () => {
  const page = connected({ observe: ['resource'] });
  await page.window.fetch('/stream');
  page.clock.advance(3000);
  assert.equal('total-ms' in only(page), false);
  await page.window.fetch('/stream2');
  page.window.emit('pagehide');
  assert.equal(page.socket.events.length, 2);
});

test('a failed answer whose body is left unread is told soon', async () => {
  const page = connected({ observe: ['resource'], window: { fetch: async () => ({ status: 503 }) } });
  await page.window.fetch('/broken');
  page.clock.advance(299);
  assert.deepEqual(events(page, { flush: false }), []);
  page.clock.advance(200);
  assert.equal(events(page, { flush: false })[0]?.status, 503);
  page.perform('resource', entry(page, { name: 'http://localhost:5173/broken' }));
  assert.equal(events(page).length, 1);
});

test('the entry of another request, or of an earlier one to the same address, is not taken for it', async () => {
  const page = connected({ observe: ['resource'] });
  page.clock.advance(500);
  await page.window.fetch('/api');
  for (const change of [{ name: 'http://localhost:5173/other' }, { startTime: 400 }, { startTime: 1600 }]) page.perform('resource', entry(page, change));
  assert.deepEqual(events(page, { flush: false }), []);
  page.perform('resource', entry(page, { transferSize: 0 }));
  assert.equal(only(page)['perf-entry'].transferSize, 0);
});

test('an entry that no observer brought is looked for before the request is told', async () => {
  const asked = [], page = connected({ observe: ['resource'], window: { performance: { now: () => 0, getEntriesByName: (...args) => {
    asked.push(args);
    return [{ name: args[0], startTime: 0, responseEnd: 7 }, { name: args[0], startTime: 5000 }];
  } } } });
  await page.window.fetch('/api');
  assert.deepEqual(asked, []);
  assert.equal(only(page)['perf-entry'].responseEnd, 7);
  assert.deepEqual(asked, [['http://localhost:5173/api', 'resource']]);
});

test('an opaque answer is not taken for a failed one', async () => {
  const page = connected({ window: { fetch: async () => ({ status: 0, type: 'opaque' }) } });
  await page.window.fetch('https://other.test/pixel', { mode: 'no-cors' });
  const event = only(page);
  assert.deepEqual([event.type, event.subtype, 'status' in event], ['metric', 'no-cors', false]);
});

test('the operation of a GraphQL body is named, and nothing else of the body', async () => {
  const cases = [
    [JSON.stringify({ query: 'mutation AddToCart($id: ID!) { add(id: $id) { id } }', variables: { id: 'hidden-value' } }), 'mutation AddToCart'],
    [JSON.stringify({ operationName: 'Cart', query: 'query Cart { cart { id } }' }), 'query Cart'],
    [JSON.stringify({ operationName: 'Stored', extensions: { persistedQuery: { version: 1 } } }), 'Stored'],
    [JSON.stringify([{ query: '# one\n query First { a }' }]), 'query First'],
    [JSON.stringify({ query: '{ anonymous }' }), undefined],
    [JSON.stringify({ operationName: 'NotGraphql' }), undefined],
    ['query=x', undefined], [new URLSearchParams('a=b'), undefined],
  ];
  const page = connected();
  for (const [body] of cases) await page.window.fetch('/graphql', { method: 'POST', body });
  const all = events(page);
  assert.deepEqual(all.map((event) => event.operation), cases.map(([, name]) => name));
  assert.ok(!JSON.stringify(all).includes('hidden-value'));
});

test('fetch reads nothing that the page could notice', async () => {
  const seen = [], watched = (object, name) => new Proxy(object, { get(target, key) { seen.push(name + '.' + String(key)); return Reflect.get(target, key); } });
  let read = 0;
  const page = connected({ window: { fetch: async () => watched({ status: 204, type: 'basic', url: 'http://localhost:5173/named' }, 'response') } });
  const input = { toString() { read++; return '/named'; } };
  await page.window.fetch(input, Object.defineProperty({}, 'body', { get() { read++; return ''; }, enumerable: true }));
  assert.equal(read, 0, 'neither toString nor a getter ran');
  assert.deepEqual(seen.filter((key) => !/\.(status|type|url|then)$/.test(key)), [], 'no body, no clone, no headers');
  assert.equal(only(page).url, 'http://localhost:5173/named');
});

function xhr(page, method, url, body) {
  const request = new page.window.XMLHttpRequest();
  request.open(method, url);
  request.send(body);
  return request;
}

test('an XMLHttpRequest is told with time to headers and to the end', () => {
  const page = connected();
  const request = xhr(page, 'post', '/api?token=t', '{"query":"query Q { a }"}');
  assert.deepEqual([request.opened, request.sent], [['post', '/api?token=t'], ['{"query":"query Q { a }"}']]);
  page.clock.advance(30);
  request.headers(201);
  page.clock.advance(12);
  request.end();
  const { initiator, 'perf-entry': entry, ...event } = only(page);
  assert.deepEqual(entry, {}, 'none was there');
  assert.match(initiator, /^ +at xhr .*requests\.test\.mjs/m);
  assert.deepEqual(event, { type: 'metric', subtype: 'api-call', url: 'http://localhost:5173/api?token=[redacted]', method: 'POST', operation: 'query Q',
    'duration-ms': 30, 'total-ms': 42, status: 201 });
});

test('abort, timeout and failure of an XMLHttpRequest are told apart', () => {
  const page = connected();
  for (const how of ['abort', 'timeout', 'error']) xhr(page, 'GET', '/' + how).end(how);
  const [abort, timeout, error] = events(page);
  assert.deepEqual([abort.type, abort.aborted, abort.status], ['metric', true, undefined]);
  assert.deepEqual([timeout.type, timeout.subtype, timeout.name, error.name], ['error', 'network', 'TimeoutError', 'NetworkError']);
  assert.match(error.stack, /XMLHttpRequest: error\n.*requests\.test\.mjs/s);
});

test('an XMLHttpRequest that is opened again is one new request, and our own are none', () => {
  const page = connected();
  const request = xhr(page, 'GET', '/one');
  request.open('GET', '/two');
  request.send();
  request.headers(200);
  request.end();
  xhr(page, 'POST', 'http://127.0.0.1:8245/v1/events').end();
  assert.deepEqual(events(page).map((event) => event.url.slice(21)), ['/two']);
});

test('a synchronous XMLHttpRequest that throws is told, and throws', () => {
  const page = connected(), request = new page.window.XMLHttpRequest(), error = new DOMException('down', 'NetworkError');
  request.open('GET', '/sync', false);
  request.fails = error;
  assert.throws(() => request.send(), (got) => got === error);
  assert.deepEqual([only(page).subtype, only(page).message], ['network', 'down']);
});

test('sendBeacon: what the browser took and what it refused; our own is left out', () => {
  const page = connected();
  page.window.navigator.sendBeacon = undefined;
  const taken = [true, false], calls = [];
  const other = connected({ window: { navigator: { userAgent: 'x', sendBeacon: (...args) => { calls.push(args); return taken.shift(); } } } });
  assert.equal(other.window.navigator.sendBeacon('/collect', 'päyload'), true);
  assert.equal(other.window.navigator.sendBeacon('/collect', new Blob(['12345'])), false);
  const [first, second] = events(other);
  assert.deepEqual([first.type, first.subtype, first.url, first.size], ['metric', 'beacon', 'http://localhost:5173/collect', 8]);
  assert.deepEqual([second.type, second.subtype, second.size], ['error', 'network', 5]);
  other.window.emit('pagehide');
  assert.ok(!other.socket.events.some((event) => String(event.url).includes('/v1/')));
});

test('WebSockets: open, close and a connection that never was; name, statics and instanceof stay', async () => {
  const page = connected(), { WebSocket } = page.window, own = page.sockets.length;
  assert.deepEqual([WebSocket.name, WebSocket.length], ['FakeSocket', 2]);
  const socket = new WebSocket('ws://localhost:5173/live?token=t', ['chat']);
  assert.ok(socket instanceof WebSocket && socket.constructor === WebSocket);
  assert.deepEqual([socket.url, socket.protocols], ['ws://localhost:5173/live?token=t', ['chat']]);
  page.clock.advance(8);
  socket.emit('open');
  page.clock.advance(1000);
  socket.emit('close', { code: 1006, reason: '', wasClean: false });
  new WebSocket('ws://localhost:1/none').emit('close', { code: 1006, wasClean: false });
  page.sockets.splice(own);
  const [open, close, failed] = events(page);
  assert.deepEqual([open.subtype, open.action, open.url, open['duration-ms']], ['websocket', 'open', 'ws://localhost:5173/live?token=[redacted]', 8]);
  assert.deepEqual([close.action, close.level, close.code, close['duration-ms']], ['close', 'warn', 1006, 1000]);
  assert.deepEqual([failed.type, failed.subtype], ['error', 'network']);
  page.taillight.stop();
  assert.notEqual(page.window.WebSocket, WebSocket);
  assert.equal(page.window.WebSocket.prototype.constructor, page.window.WebSocket);
});

test('hot updates: Vite’s socket, webpack’s message, and either tool at its source', () => {
  const page = connected(), own = page.sockets.length;
  const vite = new page.window.WebSocket('ws://localhost:5173/', 'vite-hmr');
  vite.emit('message', { data: JSON.stringify({ type: 'connected' }) });
  vite.emit('message', { data: JSON.stringify({ type: 'update', updates: [{ path: '/src/Cart.tsx' }] }) });
  const err = { message: 'Expected ")" but found "}"', stack: 'at x', id: '/app/src/Cart.tsx', loc: { file: '/app/src/Cart.tsx', line: 7, column: 3 } };
  vite.emit('message', { data: JSON.stringify({ type: 'error', err }) });
  vite.emit('message', { data: JSON.stringify({ type: 'error', err: { message: 'no such plugin' } }) });
  page.window.emit('message', { data: 'webpackHotUpdate3f2a' });
  page.window.emit('message', { data: { type: 'other' } });
  page.sockets.splice(own);
  const all = events(page), broken = all.filter((event) => event.subtype === 'compile');
  assert.deepEqual(all.filter((event) => !broken.includes(event)).map((event) => [event.subtype, event.tool, event.files]), [['hot-update', 'vite', ['/src/Cart.tsx']], ['hot-update', 'webpack', undefined]]);
  assert.deepEqual(broken.map(({ type, message, location }) => [type, message, location]), [
    ['error', err.message, { url: '/app/src/Cart.tsx', file: '/app/src/Cart.tsx', line: 7, column: 3 }], ['error', 'no such plugin', {}]]);

  const heard = {}, told = connected();
  told.taillight.init({ hot: { on: (name, run) => { heard[name] = run; } } });
  new told.window.WebSocket('ws://localhost:5173/', 'vite-hmr').emit('message', { data: '{"type":"update","updates":[{"path":"/twice"}]}' });
  told.sockets.splice(1);
  heard['vite:afterUpdate']({ updates: [{ path: '/src/a.css' }] });
  heard['vite:error']({ err });
  told.taillight.init({ hot: { addStatusHandler: (run) => { heard.webpack = run; } } });
  for (const status of ['check', 'apply', 'idle', 'idle']) heard.webpack(status);
  assert.deepEqual(events(told).map((event) => event.files || event.message), [['/src/a.css'], err.message, undefined]);
});

test('what a strict page keeps out is recorded, taillight’s own is the browser’s to tell', async () => {
  const page = connected();
  const violation = { blockedURI: 'https://cdn.test/x.js', effectiveDirective: 'script-src-elem', disposition: 'enforce', sourceFile: 'http://localhost:5173/a.js', lineNumber: 4, columnNumber: 2 };
  page.document.emit('securitypolicyviolation', violation);
  page.document.emit('securitypolicyviolation', { ...violation, disposition: 'report' });
  page.document.emit('securitypolicyviolation', { ...violation, blockedURI: 'ws://127.0.0.1:8245/v1/ws', effectiveDirective: 'connect-src' });
  page.document.emit('securitypolicyviolation', { ...violation, blockedURI: 'ws://127.0.0.1:8245/v1/ws', effectiveDirective: 'connect-src' });
  const [csp, report] = events(page);
  assert.deepEqual([csp.type, csp.subtype, csp.directive, csp.url, csp.location.line], ['error', 'csp', 'script-src-elem', 'https://cdn.test/x.js', 4]);
  assert.deepEqual([report.type, report.level], ['log', 'warn']);
  assert.equal(page.window.console.lines.length, 0);
  await settled();
});

/** A server that answers with what it got, but keeps the bodies of /drip open; gives its address. */
async function serve(t) {
  const server = createServer((request, response) => {
    if (request.url === '/drip') return void response.writeHead(200, { 'content-length': 1000 }).write('first');
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (text) => { body += text; }).on('end', () => response.end(request.headers['transfer-encoding'] + ' ' + body));
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise((done) => server.on('listening', done));
  return `http://127.0.0.1:${server.address().port}`;
}

test('a body that is given up midway ends with the page’s own reason, for the page alone', async (t) => {
  const page = connected({ window: { fetch: globalThis.fetch } }), address = await serve(t), stop = new AbortController(), reason = new Error('enough');
  const response = await page.window.fetch(address + '/drip', { signal: stop.signal }), reader = response.body.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value), 'first');
  const rest = reader.read();
  stop.abort(reason);
  await assert.rejects(rest, (error) => error === reason);
  const event = only(page);
  assert.deepEqual([event.subtype, event.status, 'aborted' in event, 'total-ms' in event], ['api-call', 200, false, false]);
});

test('a body that is given up from the start, or cancelled, is the page’s to end', async (t) => {
  const page = connected({ window: { fetch: globalThis.fetch } }), address = await serve(t), stop = new AbortController();
  const waiting = page.window.fetch(address + '/drip', { signal: stop.signal });
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  const response = await page.window.fetch(address + '/drip');
  await response.body.cancel();
  assert.deepEqual(events(page).map((event) => [event.type, event.aborted, event.status]), [['metric', true, undefined], ['metric', undefined, 200]]);
});

test('a streamed upload is pulled by the browser alone, piece by piece', async (t) => {
  const page = connected({ window: { fetch: globalThis.fetch } }), address = await serve(t), pieces = ['one ', 'two ', 'three'];
  let pulled = 0;
  const body = new ReadableStream({ pull(to) { pieces[pulled] ? to.enqueue(new TextEncoder().encode(pieces[pulled++])) : to.close(); } }, { highWaterMark: 0 });
  const response = await page.window.fetch(address + '/up', { method: 'POST', body, duplex: 'half' });
  assert.equal(await response.text(), 'chunked one two three');
  const failing = new ReadableStream({ pull() { throw new RangeError('torn'); } }, { highWaterMark: 0 });
  await assert.rejects(page.window.fetch(address + '/torn', { method: 'PUT', body: failing, duplex: 'half' }), (error) => error.name === 'RangeError' || error.cause?.name === 'RangeError');
  const [sent, torn] = events(page);
  assert.deepEqual([pulled, sent.method, sent.status, sent.operation], [3, 'POST', 200, undefined]);
  assert.deepEqual([torn.type, torn.subtype, torn.method], ['error', 'network', 'PUT']);
});

test('a Request whose body streams, its clone and a response’s clone are read by the page alone', async (t) => {
  const page = connected({ window: { fetch: globalThis.fetch } }), address = await serve(t);
  const body = new ReadableStream({ start(to) { to.enqueue(new TextEncoder().encode('streamed')); to.close(); } });
  const request = new Request(address + '/r', { method: 'POST', body, duplex: 'half' }), copy = request.clone();
  const response = await page.window.fetch(request), second = response.clone();
  assert.deepEqual([request.bodyUsed, copy.bodyUsed, response.bodyUsed], [true, false, false]);
  assert.deepEqual([await response.text(), await second.text(), await copy.text()], ['chunked streamed', 'chunked streamed', 'streamed']);
  await assert.rejects(page.window.fetch(request), TypeError);
});

test('a request that the page opens anew when it hears of the answer is told like the others', () => {
  const page = connected(), poll = new page.window.XMLHttpRequest();
  let left = 2;
  // Before the client's own listener, which is there once it is sent.
  poll.addEventListener('load', () => { if (left-- > 0) { poll.open('GET', '/poll?' + left); poll.send(); } });
  poll.open('GET', '/poll?first');
  poll.send();
  for (let nth = 0; nth < 3; nth++) {
    poll.headers(200);
    poll.readyState = 4;
    poll.emit('readystatechange');
    poll.emit('load');
  }
  assert.deepEqual(events(page).map((event) => [event.url.split('?')[1], event.status]), [['first', 200], ['1', 200], ['0', 200]]);
});
