// The wire: numbers, acks, reconnects, gaps, throttles and leaving.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connected, makePage } from './fake.mjs';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const numbers = (socket) => socket.events.map((event) => event.seq);
const say = (page, count, level = 'info') => range(1, count).forEach((n) => page.taillight.log(level, 'line ' + n));

/** Acks everything as the server does: only up to the first number that did not arrive. */
function ackAll(socket, taken) {
  for (const event of socket.events) taken.set(event.seq, event);
  let seq = 0;
  while (taken.has(seq + 1)) seq++;
  if (seq) socket.say({ t: 'ack', seq });
  return seq;
}

test('hello comes first, names client, session, tab and load, and the key travels as a subprotocol', () => {
  const page = makePage({ dataset: { app: 'shop', build: 'b7' } });
  assert.equal(page.socket.url, 'ws://127.0.0.1:8245/v1/ws');
  assert.deepEqual(page.socket.protocols, ['taillight.v1', 'k.ABCDEFGHIJKLMNOP']);
  page.taillight.log('info', 'early');
  page.socket.accept();
  const hello = page.socket.frames[0];
  assert.match(hello.client, /^[0-9a-f]{32}$/);
  assert.deepEqual({ ...hello, client: '', session: '', tab: '' }, { t: 'hello', v: 1, client: '', session: '', user: null, tab: '', load: 1,
    app: 'shop', build: 'b7', page: 'http://localhost:5173/shop/?token=[redacted]', now: 1704067200000, next: 1 });
  assert.equal(page.socket.events[0].message, 'early');
});

test('a second page load in the tab keeps session and tab, counts the load and has a new client id', () => {
  const first = connected(), second = makePage({ idle: true });
  second.storage = first.storage;
  second.window.sessionStorage = first.window.sessionStorage;
  second.run();
  second.socket.accept();
  const [a, b] = [first.socket.frames[0], second.socket.frames[0]];
  assert.equal(b.session, a.session);
  assert.equal(b.tab, a.tab);
  assert.equal(b.load, 2);
  assert.notEqual(b.client, a.client);
});

test('without a key in its address the script offers the protocol alone', () => {
  assert.deepEqual(makePage({ src: 'http://127.0.0.1:8245/taillight.js' }).socket.protocols, ['taillight.v1']);
});

test('a batch goes out after 100 ms or at 100 events', () => {
  const page = connected();
  say(page, 3);
  page.clock.advance(99);
  assert.deepEqual(numbers(page.socket), []);
  page.clock.advance(1);
  assert.deepEqual(numbers(page.socket), [1, 2, 3]);
  say(page, 100);
  assert.deepEqual(numbers(page.socket), range(1, 103));
  assert.deepEqual(page.socket.of('batch').map((frame) => frame.seq), [1, 4]);
});

test('at most four batches are in flight, and an ack lets the rest go', () => {
  const page = connected(), taken = new Map();
  say(page, 1000);
  assert.equal(page.socket.frames.length - 1, 4);
  page.clock.advance(1000);
  assert.equal(page.socket.frames.length - 1, 4);
  for (let i = 0; i < 10; i++) ackAll(page.socket, taken);
  page.clock.advance(100);
  ackAll(page.socket, taken);
  assert.deepEqual(numbers(page.socket), range(1, 1000));
});

test('a batch stays below the size that the server asked for', () => {
  const page = makePage();
  page.socket.accept({ 'max-bytes': 4096 });
  for (let i = 0; i < 40; i++) page.taillight.log('info', 'x'.repeat(400));
  page.clock.advance(100);
  for (const frame of page.socket.of('batch')) assert.ok(JSON.stringify(frame).length <= 4096);
  assert.equal(page.socket.of('batch').length, 4);
});

test('an urgent event goes at once, behind what waits, and every number is sent once', () => {
  const page = connected();
  say(page, 3);
  page.taillight.error(new Error('now'));
  assert.deepEqual(page.socket.of('batch').map((frame) => [frame.seq, frame.events.length]), [[1, 4]]);
  say(page, 2);
  page.clock.advance(100);
  assert.deepEqual(page.socket.of('batch').map((frame) => [frame.seq, frame.events.length]), [[1, 4], [5, 2]]);
});

test('a storm of urgent events never blocks the batch that their acks wait for', () => {
  const page = connected(), taken = new Map();
  say(page, 5);
  for (let i = 0; i < 500; i++) page.taillight.error(new Error('n' + i));
  for (let i = 0; i < 100 && ackAll(page.socket, taken) < 505; i++) page.clock.advance(100);
  assert.deepEqual(numbers(page.socket).sort((a, b) => a - b), range(1, 505));
});

test('after a lost connection what was not acked is sent again, under the same numbers, and nothing else', () => {
  const page = connected(), first = page.socket;
  say(page, 250);
  page.clock.advance(100);
  first.say({ t: 'ack', seq: 120 });
  first.drop();
  say(page, 10);
  page.clock.advance(300);
  const second = page.socket;
  assert.notEqual(second, first);
  second.open = true;
  second.onopen({});
  assert.equal(second.frames[0].next, 121);
  assert.equal(second.frames[0].client, first.frames[0].client);
  assert.equal(second.frames.length, 1, 'nothing before the welcome');
  second.say({ t: 'welcome', v: 1, acked: 200 });
  page.clock.advance(100);
  assert.deepEqual(numbers(second), range(201, 260));
  assert.equal(second.events.find((event) => event.seq === 250).message, 'line 250');
});

test('many cuts at random places lose nothing and number nothing twice', () => {
  let random = 7;
  const next = (limit) => (random = (random * 48271) % 2147483647) % limit;
  const page = connected(), taken = new Map();
  for (let round = 0; round < 300; round++) {
    const socket = page.socket;
    for (let i = next(60); i > 0; i--) (next(9) ? page.taillight.log : (level, message) => page.taillight.error(message))('info', 'round ' + round + ' ' + i);
    page.clock.advance(next(200));
    const arrived = socket.events.slice(0, next(socket.events.length + 1));
    for (const event of arrived) {
      const { seq, ...same } = event;
      if (taken.has(seq)) assert.deepEqual(taken.get(seq), same);
      taken.set(seq, same);
    }
    let acked = 0;
    while (taken.has(acked + 1)) acked++;
    if (next(3)) {
      socket.say({ t: 'ack', seq: acked });
    } else {
      socket.drop();
      while (page.socket === socket) page.clock.advance(10);
      page.socket.accept({ acked });
    }
  }
  for (let i = 0; i < 100; i++) {
    for (const { seq, ...event } of page.socket.events) taken.set(seq, event);
    ackAll(page.socket, taken);
    page.clock.advance(100);
  }
  page.socket.say({ t: 'request', id: 'r', kind: 'diagnostics' });
  const { data } = page.socket.of('reply')[0];
  assert.equal(taken.size, data.recorded);
  assert.deepEqual([...taken.keys()].sort((a, b) => a - b), range(1, data.recorded));
  assert.equal(data.buffered, 0);
});

test('retries come at random moments below a limit that doubles from 0.25 s to 10 s', (t) => {
  t.mock.method(Math, 'random', () => 0.999);
  const page = connected(), waits = [];
  for (let i = 0; i < 8; i++) {
    page.socket.drop();
    const before = page.sockets.length, start = page.clock.time;
    while (page.sockets.length === before) page.clock.advance(1);
    waits.push(page.clock.time - start);
  }
  assert.deepEqual(waits, [250, 500, 999, 1998, 3996, 7992, 9990, 9990]);
});

test('a server that takes the connection and stays silent is tried again', () => {
  const page = makePage();
  page.socket.open = true;
  page.socket.onopen({});
  page.clock.advance(10000);
  assert.equal(page.sockets[0].closed, true);
  page.clock.advance(10000);
  assert.ok(page.sockets.length > 1);
});

test('a full buffer drops the lowest rank, oldest first, and a gap names the numbers', () => {
  const page = makePage(), taken = new Map();
  for (let i = 0; i < 10; i++) page.taillight.error('kept ' + i);
  for (let i = 0; i < 4000; i++) page.taillight.track('click ' + i);
  for (let i = 0; i < 3000; i++) page.taillight.log('info', 'line ' + i);
  page.socket.accept();
  const gaps = () => page.socket.of('gap');
  for (let i = 0; i < 100; i++) {
    ackAll(page.socket, taken);
    for (const gap of gaps()) for (const seq of range(gap.from, gap.to)) taken.set(seq, 'gap');
  }
  assert.deepEqual(gaps(), [{ t: 'gap', from: 11, to: 2020, count: 2010, reason: 'buffer-full' }]);
  assert.deepEqual([...taken.keys()].sort((a, b) => a - b), range(1, 7010));
  assert.equal(page.socket.events.length, 5000);
  page.socket.say({ t: 'ack', seq: 7010 });
  page.socket.say({ t: 'request', id: 'r', kind: 'diagnostics' });
  const { data } = page.socket.of('reply')[0];
  assert.deepEqual([data.recorded, data.acked, data.buffered, data.dropped], [7010, 7010, 0, 2010]);
});

test('the buffer is bounded in bytes too, and an event that finds only better ones is dropped itself', () => {
  const page = makePage();
  for (let i = 0; i < 700; i++) page.taillight.error('e' + i, { blob: ['a', 'b', 'c'].map((name) => name.repeat(4000)) });
  page.taillight.track('unlucky');
  page.socket.accept();
  page.taillight.flush();
  page.socket.say({ t: 'request', id: 'r', kind: 'diagnostics' });
  const { data } = page.socket.of('reply')[0];
  assert.ok(data.dropped > 500 && data.buffered < 200, JSON.stringify(data));
  assert.equal(data.recorded, data.buffered + data.dropped);
});

test('an error that evicts is sent once and never as part of a gap', () => {
  const page = connected();
  page.socket.say({ t: 'throttle', ms: 60000 });
  for (let i = 0; i < 5001; i++) page.taillight.error('e' + i);
  page.clock.advance(60000);
  assert.deepEqual(page.socket.of('gap').map((gap) => [gap.from, gap.to]), [[1, 1]]);
  assert.equal(numbers(page.socket)[0], 2);
});

test('a throttle holds everything for the time it names', () => {
  const page = connected();
  page.socket.say({ t: 'throttle', ms: 500 });
  say(page, 150);
  page.taillight.error('late');
  page.clock.advance(499);
  assert.deepEqual(numbers(page.socket), []);
  page.clock.advance(1);
  assert.deepEqual(numbers(page.socket), range(1, 151));
});

test('config: minimum level, sampling and the switch act before a number is given', () => {
  const page = connected();
  page.socket.say({ t: 'config', 'min-level': 'info', sample: { custom: 0 } });
  page.taillight.log('debug', 'below');
  page.taillight.track('below too');
  page.taillight.metric('sampled out', 1);
  page.taillight.error('errors are never sampled');
  page.taillight.log('info', 'kept');
  page.socket.say({ t: 'config', enabled: false });
  page.taillight.log('error', 'off');
  page.socket.say({ t: 'config', enabled: true, 'min-level': 'trace', sample: {} });
  page.taillight.log('trace', 'on again');
  page.clock.advance(100);
  assert.deepEqual(page.socket.events.map((event) => [event.seq, event.message]),
    [[1, 'errors are never sampled'], [2, 'kept'], [3, 'on again']]);
});

test('requests: ping, flush and diagnostics are answered, anything else is refused, and the page is told of each', () => {
  const page = connected({ window: { localStorage: { cart: 'secret value' }, innerWidth: 800, innerHeight: 600 } });
  say(page, 2);
  for (const kind of ['ping', 'flush', 'diagnostics', 'eval', '__proto__']) page.socket.say({ t: 'request', id: kind, kind, code: 'alert(1)' });
  page.socket.say({ t: 'nack', seq: 1, rejected: [{ index: 0, reason: 'no' }] });
  const replies = Object.fromEntries(page.socket.of('reply').map((frame) => [frame.id, frame.data]));
  assert.deepEqual(replies.ping, { now: 1704067200000 });
  assert.deepEqual(replies.flush, { buffered: 2 });
  assert.equal(page.socket.of('batch').length, 1);
  assert.deepEqual(replies.eval, { error: 'unknown kind' });
  assert.deepEqual(replies.__proto__, { error: 'unknown kind' });
  assert.deepEqual(replies.diagnostics.viewport, { width: 800, height: 600 });
  assert.deepEqual(replies.diagnostics.storage.local, ['cart']);
  assert.ok(!JSON.stringify(replies).includes('secret value'));
  assert.equal(page.window.console.lines.filter((line) => line.name === 'debug').length, 3);
});

test('an answer stays below 256 KiB, whatever the app hands over, and says what was cut', () => {
  const page = connected(), worst = '\u0001'.repeat(3000);
  page.taillight.answer('all', () => Array.from({ length: 90 }, () => ({ [worst.slice(0, 190)]: worst, list: [worst, worst] })));
  page.socket.say({ t: 'request', id: 'r', kind: 'all' });
  const [reply] = page.socket.of('reply'), size = Buffer.byteLength(JSON.stringify(reply));
  assert.ok(size > 100000 && size < 262144, String(size));
  assert.match(String(reply.data.at(-1)), /^… \d+ more$/);
});

test('frames that make no sense change nothing', () => {
  const page = connected();
  for (const data of ['', 'null', '[]', '{"t":"constructor"}', '{"t":"ack"}', '{"t":"ack","seq":"x"}', '{"t":"welcome","acked":1e99}', '{"t":"config","sample":null}', '{"t":"request"}']) {
    page.socket.onmessage({ data });
  }
  say(page, 1);
  page.clock.advance(100);
  assert.deepEqual(numbers(page.socket), [1]);
});

test('leaving sends what waits over the socket and as a beacon under the same numbers', () => {
  const page = connected({ dataset: { user: 'u1' } });
  say(page, 3);
  page.window.emit('pagehide');
  assert.deepEqual(numbers(page.socket), [1, 2, 3]);
  assert.equal(page.beacons[0].url, 'http://127.0.0.1:8245/v1/events?k=ABCDEFGHIJKLMNOP');
  const body = JSON.parse(page.beacons[0].body), hello = page.socket.frames[0];
  assert.deepEqual([body.t, body.client, body.session, body.user, body.tab, body.load, body.seq], ['batch', hello.client, hello.session, 'u1', hello.tab, 1, 1]);
  assert.deepEqual(body.events, page.socket.of('batch')[0].events);
  page.document.visibilityState = 'hidden';
  page.document.emit('visibilitychange');
  assert.deepEqual(page.beacons.slice(1).flatMap((beacon) => JSON.parse(beacon.body).events.map((event) => event.subtype)), ['visibility'], 'nothing twice');
});

test('a beacon stays below 60,000 bytes, counted in UTF-8, and starts with the oldest', () => {
  const page = makePage();
  for (let i = 0; i < 100; i++) page.taillight.log('info', 'ü€😀'.repeat(120));
  page.window.emit('pagehide');
  assert.equal(page.beacons.length, 1);
  const size = Buffer.byteLength(page.beacons[0].body);
  assert.ok(size <= 60000 && size > 50000, String(size));
  assert.equal(JSON.parse(page.beacons[0].body).seq, 1);
});

test('a page back from the cache connects anew, whatever its old socket says', () => {
  const page = connected();
  say(page, 2);
  page.window.emit('pagehide');
  page.window.emit('pageshow', { persisted: true });
  assert.equal(page.sockets.length, 2);
  page.socket.accept({ acked: 1 });
  assert.deepEqual(numbers(page.socket), [2]);
  page.sockets[0].drop();
  page.clock.advance(20000);
  assert.equal(page.sockets.length, 2, 'the end of the old socket is nobody’s business');
});

test('a page that the browser keeps for later lets its connection go', () => {
  const page = connected();
  say(page, 2);
  page.window.emit('pagehide', { persisted: true });
  assert.ok(page.socket.closed, 'a tab would be counted twice');
  assert.equal(page.beacons.length, 1);
  page.clock.advance(20000);
  assert.equal(page.sockets.length, 1, 'nobody connects for a page that is not shown');
  page.window.emit('pageshow', { persisted: true });
  page.socket.accept({ acked: 1 });
  assert.deepEqual(numbers(page.socket), [2]);
});

test('three refusals are explained once if taillight runs, then tries are far apart', async () => {
  const asked = [], page = makePage({ window: { fetch: async (...args) => asked.push(args) } });
  for (let i = 0; i < 3; i++) {
    page.socket.drop();
    if (i < 2) page.clock.advance(10000);
  }
  await null;
  await null;
  assert.deepEqual(asked, [['http://127.0.0.1:8245/taillight.js', { mode: 'no-cors', cache: 'no-store' }]]);
  const warnings = page.window.console.lines.filter((line) => line.name === 'warn');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0].args[0], /--allow-origin http:\/\/localhost:5173/);
  const before = page.sockets.length;
  page.clock.advance(14000);
  assert.equal(page.sockets.length, before);
  page.clock.advance(17000);
  assert.equal(page.sockets.length, before + 1);
  page.socket.drop();
  assert.equal(page.window.console.lines.length, 1);
  assert.equal(page.socket.frames.length, 0, 'the warning was not recorded');
});

test('where nobody listens the page’s console stays empty', async () => {
  const page = makePage({ window: { fetch: () => Promise.reject(new TypeError('refused')) } });
  for (let i = 0; i < 6; i++) {
    page.socket.drop();
    page.clock.advance(600000);
    await null;
  }
  assert.deepEqual(page.window.console.lines, []);
  assert.ok(page.sockets.length > 5);
});

test('a connection that takes batches and acks nothing for a minute is made anew', () => {
  const page = connected();
  say(page, 3);
  page.clock.advance(100);
  page.clock.advance(59000);
  assert.equal(page.sockets.length, 1);
  page.clock.advance(2000);
  assert.equal(page.sockets.length, 2);
  page.socket.accept();
  assert.deepEqual(numbers(page.socket), [1, 2, 3]);
  page.socket.ack();
  page.clock.advance(600000);
  assert.equal(page.sockets.length, 2, 'with nothing to wait for there is nothing to do');
});

test('what a throttle refused comes again after it, under the same numbers', () => {
  const page = connected();
  say(page, 3);
  page.clock.advance(100);
  page.socket.say({ t: 'throttle', ms: 500 });
  page.clock.advance(500);
  assert.deepEqual(page.socket.of('batch').map((frame) => [frame.seq, frame.events.length]), [[1, 3], [1, 3]]);
});
