// What outlives the document: the store, and how the next document brings it in.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connected, makePage, storageArea } from './fake.mjs';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const say = (page, count, level = 'info') => range(1, count).forEach((n) => page.taillight.log(level, 'line ' + n));
const numbers = (socket) => socket.events.map((event) => event.seq);

/** The next document of the tab, connected; `old` is the connection it opens for the document before it. */
function reloaded(before) {
  const page = makePage({ idle: true, local: before.local });
  page.window.sessionStorage = before.window.sessionStorage;
  page.clock.time = before.clock.time;
  page.run();
  page.sockets[0].accept();
  page.old = page.sockets[1];
  return page;
}

test('events recorded while taillight is away survive a reload, under their own client and numbers', () => {
  const page = makePage({ dataset: { user: 'u1' } });
  say(page, 3);
  page.window.emit('pagehide');
  const next = reloaded(page), { old } = next;
  assert.equal(next.sockets.length, 2);
  old.open = true;
  old.onopen({});
  const hello = old.frames[0];
  assert.deepEqual([hello.t, hello.next, hello.load, hello.user, hello.session], ['hello', 1, 1, 'u1', next.sockets[0].frames[0].session]);
  assert.notEqual(hello.client, next.sockets[0].frames[0].client);
  old.say({ t: 'welcome', v: 1, acked: 1 });
  assert.deepEqual(numbers(old), [2, 3]);
  assert.equal(old.events[1].message, 'line 3');
  assert.equal(Object.keys(page.local).length, 1);
  old.say({ t: 'ack', seq: 3 });
  assert.deepEqual([Object.keys(page.local), old.closed], [[], true]);
});

test('a page that ends is hidden after it, and has ended all the same', () => {
  const page = makePage();
  say(page, 2);
  page.window.emit('pagehide');
  page.document.visibilityState = 'hidden';
  page.document.emit('visibilitychange');
  const { old } = reloaded(page);
  old.accept();
  assert.deepEqual(numbers(old), [1, 2, 3], 'being hidden is told too');
});

test('while disconnected the store is written every two seconds, and acks empty it', () => {
  const page = connected();
  page.socket.drop();
  say(page, 2);
  page.clock.advance(2000);
  say(page, 2);
  page.clock.advance(2000);
  const stored = Object.keys(page.local).map((key) => JSON.parse(page.local.getItem(key)).events.map((event) => event.seq).sort());
  assert.deepEqual(stored, [[1, 2, 3, 4]]);
  page.socket.accept();
  page.socket.say({ t: 'ack', seq: 2 });
  assert.equal(Object.keys(page.local).length, 1);
  page.socket.say({ t: 'ack', seq: 4 });
  assert.equal(Object.keys(page.local).length, 0);
});

test('a document that was killed is brought in once it has been silent for a minute, a living one is left alone', () => {
  const page = makePage();
  say(page, 2);
  page.clock.advance(2000);
  const soon = makePage({ local: page.local });
  soon.clock.time = page.clock.time;
  soon.socket.accept();
  assert.equal(soon.sockets.length, 1);
  const later = makePage({ local: page.local, idle: true });
  later.clock.time = page.clock.time + 61000;
  later.run();
  later.socket.accept();
  assert.equal(later.sockets.length, 2);
});

test('a connection lost on the way brings the rest later', () => {
  const page = makePage();
  say(page, 150);
  page.window.emit('pagehide');
  const next = reloaded(page);
  next.old.accept();
  next.old.say({ t: 'ack', seq: 100 });
  next.old.drop();
  assert.equal(Object.keys(page.local).length, 1);
  next.sockets[0].drop();
  while (next.sockets.length < 3) next.clock.advance(10);
  next.sockets[2].accept();
  const again = next.sockets[3];
  again.accept({ acked: 100 });
  assert.deepEqual(numbers(again), range(101, 150));
  again.say({ t: 'ack', seq: 150 });
  assert.deepEqual(Object.keys(page.local), []);
});

test('what finds no room in the store is the lowest rank, oldest first, and comes as a gap', () => {
  const page = makePage();
  for (let i = 0; i < 500; i++) page.taillight.log('info', 'x'.repeat(400), ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(3000)).slice(0, 1));
  for (let i = 0; i < 5; i++) page.taillight.error('kept ' + i);
  page.local.setItem('taillight.q.other.1', 'x'.repeat(1900000));
  page.window.emit('pagehide');
  page.local.removeItem('taillight.q.other.1');
  const next = reloaded(page);
  next.old.accept();
  for (let seq = 0; seq < 505;) {
    const before = seq;
    for (const frame of next.old.of('gap')) if (frame.from === seq + 1) seq = frame.to;
    for (const event of next.old.events) if (event.seq === seq + 1) seq++;
    next.old.say({ t: 'ack', seq });
    assert.ok(seq > before);
  }
  const gaps = next.old.of('gap'), sent = next.old.events;
  assert.equal(gaps.length, 1);
  assert.deepEqual([gaps[0].from, gaps[0].count + sent.length], [1, 505]);
  assert.ok(sent.length > 20 && sent.length < 100 && sent.filter((event) => event.type === 'error').length === 5);
  assert.deepEqual(Object.keys(page.local), []);
});

test('the gaps of a full buffer outlive the document too', () => {
  const page = makePage();
  for (let i = 0; i < 5200; i++) page.taillight.log('info', 'l' + i);
  page.window.emit('pagehide');
  const next = reloaded(page);
  next.old.accept();
  assert.deepEqual(next.old.of('gap').map((gap) => [gap.from, gap.to]), [[1, 200]]);
});

test('storage that is denied, full or full of nonsense costs nothing but itself', () => {
  const denied = () => { throw new Error('denied'); };
  for (const local of [storageArea(10), storageArea(400), new Proxy({}, { get: denied, set: denied, has: denied, ownKeys: denied, deleteProperty: denied })]) {
    const page = makePage({ local });
    say(page, 2);
    page.clock.advance(5000);
    page.window.emit('pagehide');
    page.socket.accept();
    page.taillight.flush();
    assert.equal(page.socket.events.filter((event) => event.message.startsWith('line')).length, 2);
  }
  const local = storageArea();
  for (const [key, value] of [['taillight.q.a', '{'], ['taillight.q.b', '{"who":{"client":"b"},"at":0,"events":[1,null]}'], ['taillight.q.c', 'null'], ['cart', 'mine']]) local.setItem(key, value);
  const page = connected({ local });
  say(page, 1);
  page.taillight.flush();
  assert.deepEqual([Object.keys(local), page.sockets[0].events.length], [['cart'], 1]);
});

test('a page that comes back from the cache goes on with its own numbers, whoever brought in its store meanwhile', () => {
  const page = makePage();
  say(page, 3);
  page.window.emit('pagehide');
  const next = reloaded(page);
  next.old.accept();
  next.old.say({ t: 'ack', seq: 3 });
  page.window.emit('pageshow', { persisted: true, timeStamp: 0 });
  page.socket.accept({ acked: 3 });
  say(page, 1);
  page.taillight.flush();
  assert.deepEqual(numbers(page.socket), [4]);
});

test('a page that leaves twice without anything new keeps what it stored', () => {
  const page = makePage();
  say(page, 3);
  for (let i = 0; i < 2; i++) {
    page.window.emit('pagehide');
    page.window.emit('pageshow', { persisted: true, timeStamp: 0 });
  }
  page.window.emit('pagehide');
  const { old } = reloaded(page);
  old.accept();
  assert.deepEqual([numbers(old), old.of('gap')], [[1, 2, 3], []]);
});

test('where the app fills the area, what is worth most is stored and the rest is a gap', () => {
  const page = makePage({ local: storageArea(6000) });
  say(page, 60);
  for (let i = 0; i < 2; i++) page.taillight.error('kept ' + i);
  page.window.emit('pagehide');
  const { old } = reloaded(page);
  old.accept();
  assert.deepEqual(old.events.filter((event) => event.type === 'error').length, 2);
  assert.ok(old.events.length > 2 && old.events.length < 40, String(old.events.length));
  assert.equal(old.events.length + old.of('gap').reduce((sum, gap) => sum + gap.count, 0), 62);
});

test('many documents, cuts and reloads: every number arrives once or lies in a gap', () => {
  let random = 11;
  const next = (limit) => (random = (random * 48271) % 2147483647) % limit;
  const taken = new Map(), local = storageArea();
  const wire = (page) => {
    for (const socket of page.sockets) {
      const hello = socket.frames && socket.frames[0];
      if (!hello) continue;
      const own = taken.get(hello.client) || new Set();
      taken.set(hello.client, own);
      for (let seq = 1; seq < hello.next; seq++) own.add(seq);
      for (const event of socket.events) own.add(event.seq);
      for (const gap of socket.of('gap')) for (const seq of range(gap.from, gap.to)) own.add(seq);
    }
  };
  const acked = (client) => {
    const own = taken.get(client) || new Set();
    let seq = 0;
    while (own.has(seq + 1)) seq++;
    return seq;
  };
  const talk = (page) => {
    wire(page);
    for (const socket of page.sockets) if (socket.open && !socket.closed) socket.say({ t: 'ack', seq: acked(socket.frames[0].client) });
  };
  let time = 1704067200000;
  for (let round = 0; round < 40; round++) {
    const page = makePage({ idle: true, local });
    page.clock.time = time;
    page.run();
    const isUp = next(3) > 0 || round > 35;
    for (let step = 0; step < 12; step++) {
      say(page, next(40));
      for (const socket of isUp ? page.sockets : []) {
        if (socket.open || socket.closed) continue;
        socket.open = true;
        socket.onopen({});
        socket.say({ t: 'welcome', v: 1, acked: Math.max(acked(socket.frames[0].client), socket.frames[0].next - 1) });
      }
      page.clock.advance(next(900));
      if (isUp) talk(page);
    }
    if (isUp) wire(page);
    page.window.emit('pagehide');
    if (isUp) wire(page);
    time = page.clock.time + 1000;
  }
  for (const [client, own] of taken) {
    const last = Math.max(0, ...own);
    assert.equal(own.size, last, client);
  }
  assert.ok(taken.size >= 38, String(taken.size));
});
