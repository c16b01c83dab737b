// What outlives the document: the store, and how the next document brings it in.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { connected, makePage, settled, storageArea } from './fake.mjs';

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const say = (page, count, level = 'info') => range(1, count).forEach((n) => page.taillight.log(level, 'line ' + n));
const eventsOf = (frames) => frames.filter((frame) => frame.t === 'batch').flatMap((frame) => frame.events.map((event, index) => ({ seq: frame.seq + index, ...event })));
const gapsOf = (frames) => frames.filter((frame) => frame.t === 'gap');
const numbers = (socket) => socket.events.map((event) => event.seq);

/** A document that keeps what it posts in `posted`, and is answered as `status` says. */
function posting(changes) {
  const posted = [], page = makePage({ idle: true, ...changes, window: { fetch: async (url, { method, body }) => {
    posted.push({ url, method, ...JSON.parse(body) });
    return { status: page.status };
  } } });
  return Object.assign(page, { posted, status: 202 });
}

/** The next document of the tab, connected, and with what it had to post for the document before it. */
async function reloaded(before) {
  const page = posting({ local: before.local });
  page.window.sessionStorage = before.window.sessionStorage;
  page.clock.time = before.clock.time;
  page.run();
  page.socket.accept();
  await settled();
  return page;
}

test('events recorded while taillight is away survive a reload, under their own client and numbers', async () => {
  const page = makePage({ dataset: { user: 'u1' } });
  say(page, 3);
  page.window.emit('pagehide');
  const next = await reloaded(page), { posted: [batch, ...rest] } = next, [hello] = next.socket.frames;
  assert.deepEqual([batch.t, batch.seq, batch.load, batch.user, batch.session, rest], ['batch', 1, 1, 'u1', hello.session, []]);
  assert.deepEqual([batch.url, batch.method], ['http://127.0.0.1:8245/v1/events?k=ABCDEFGHIJKLMNOP', 'POST']);
  assert.match(batch.client, /^[0-9a-f]{32}$/);
  assert.notEqual(batch.client, hello.client);
  assert.deepEqual(batch.events.map((event) => event.message), ['line 1', 'line 2', 'line 3']);
  assert.deepEqual(Object.keys(page.local), []);
  assert.equal(next.sockets.length, 1);
});

test('a page that ends is hidden after it, and has ended all the same', async () => {
  const page = makePage();
  say(page, 2);
  page.window.emit('pagehide');
  page.document.visibilityState = 'hidden';
  page.document.emit('visibilitychange');
  const { posted } = await reloaded(page);
  assert.deepEqual(eventsOf(posted).map((event) => event.seq), [1, 2, 3], 'being hidden is told too');
});

test('while disconnected the store is written every two seconds, and acks empty it', () => {
  const page = connected();
  page.socket.drop();
  say(page, 2);
  page.clock.advance(2000);
  say(page, 2);
  page.clock.advance(2000);
  const stored = Object.keys(page.local).map((key) => page.local.getItem(key).split('\n').slice(2).map((frame) => JSON.parse(frame)));
  assert.deepEqual(stored.map((frames) => eventsOf(frames).map((event) => event.seq)), [[1, 2, 3, 4]]);
  page.socket.accept();
  page.socket.say({ t: 'ack', seq: 2 });
  assert.equal(Object.keys(page.local).length, 1);
  page.socket.say({ t: 'ack', seq: 4 });
  assert.equal(Object.keys(page.local).length, 0);
});

test('a document that was killed is brought in once it has been silent for a minute, a living one is left alone', async () => {
  const page = makePage();
  say(page, 2);
  page.clock.advance(2000);
  const soon = await reloaded(page);
  assert.deepEqual(soon.posted, []);
  page.clock.time += 61000;
  const later = await reloaded(page);
  assert.deepEqual(eventsOf(later.posted).map((event) => event.seq), [1, 2]);
});

test('what taillight does not take now is brought in later, all of it, under its own numbers', async () => {
  const page = makePage();
  say(page, 150);
  page.window.emit('pagehide');
  const next = posting({ local: page.local });
  next.run();
  next.status = 503;
  next.socket.accept();
  await settled();
  assert.deepEqual([next.posted.length, Object.keys(page.local).length], [1, 1]);
  next.status = 202;
  next.socket.drop();
  while (next.sockets.length < 2) next.clock.advance(10);
  next.socket.accept();
  await settled();
  assert.deepEqual(eventsOf(next.posted.slice(1)).map((event) => event.seq), range(1, 150));
  assert.deepEqual(Object.keys(page.local), []);
});

test('what is left behind stays where it is once the page may send nothing more', async () => {
  const page = makePage();
  say(page, 150);
  page.window.emit('pagehide');
  const next = posting({ local: page.local });
  next.run();
  next.socket.accept();
  next.taillight.stop();
  await settled();
  assert.deepEqual([next.posted.length, Object.keys(page.local).length], [1, 1]);
});

test('what taillight cannot read is no reason to post it for ever', async () => {
  const local = storageArea(), client = 'a'.repeat(32);
  local.setItem('taillight.q.' + client, `0\n{"client":"${client}"}\n{"t":"batch"}`);
  const page = posting({ local });
  page.run();
  page.status = 400;
  page.socket.accept();
  await settled();
  assert.deepEqual([page.posted.length, Object.keys(local)], [1, []]);
});

test('what finds no room in the store is the lowest rank, oldest first, and comes as a gap', async () => {
  const page = makePage();
  for (let i = 0; i < 500; i++) page.taillight.log('info', 'x'.repeat(400), ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => letter.repeat(3000)).slice(0, 1));
  for (let i = 0; i < 5; i++) page.taillight.error('kept ' + i);
  page.local.setItem('taillight.q.other.1', 'x'.repeat(1900000));
  page.window.emit('pagehide');
  page.local.removeItem('taillight.q.other.1');
  const { posted } = await reloaded(page), gaps = gapsOf(posted), sent = eventsOf(posted);
  assert.equal(gaps.length, 1);
  assert.deepEqual([gaps[0].t, gaps[0].from, gaps[0].to, gaps[0].count + sent.length], ['gap', 1, gaps[0].count, 505]);
  assert.ok(sent.length > 20 && sent.length < 100 && sent.filter((event) => event.type === 'error').length === 5);
  assert.deepEqual(Object.keys(page.local), []);
});

test('the gaps of a full buffer outlive the document too', async () => {
  const page = makePage();
  for (let i = 0; i < 5200; i++) page.taillight.log('info', 'l' + i);
  page.window.emit('pagehide');
  const { posted } = await reloaded(page), [gap, ...more] = gapsOf(posted);
  assert.deepEqual([gap.from, gap.to, gap.client, more], [1, 200, posted.at(-1).client, []]);
});

test('storage that is denied, full or full of nonsense costs nothing but itself', async () => {
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
  await settled();
  say(page, 1);
  page.taillight.flush();
  assert.deepEqual([Object.keys(local), page.sockets[0].events.length], [['cart'], 1]);
});

test('a page that comes back from the cache goes on with its own numbers, whoever brought in its store meanwhile', async () => {
  const page = makePage();
  say(page, 3);
  page.window.emit('pagehide');
  await reloaded(page);
  assert.deepEqual(Object.keys(page.local), []);
  page.window.emit('pageshow', { persisted: true, timeStamp: 0 });
  page.socket.accept({ acked: 3 });
  say(page, 1);
  page.taillight.flush();
  assert.deepEqual(numbers(page.socket), [4]);
});

test('a page that leaves twice without anything new keeps what it stored', async () => {
  const page = makePage();
  say(page, 3);
  for (let i = 0; i < 2; i++) {
    page.window.emit('pagehide');
    page.window.emit('pageshow', { persisted: true, timeStamp: 0 });
  }
  page.window.emit('pagehide');
  const { posted } = await reloaded(page);
  assert.deepEqual([eventsOf(posted).map((event) => event.seq), gapsOf(posted)], [[1, 2, 3], []]);
});

test('where the app fills the area, what is worth most is stored and the rest is a gap', async () => {
  const page = makePage({ local: storageArea(6000) });
  say(page, 60);
  for (let i = 0; i < 2; i++) page.taillight.error('kept ' + i);
  page.window.emit('pagehide');
  const { posted } = await reloaded(page), kept = eventsOf(posted);
  assert.deepEqual(kept.filter((event) => event.type === 'error').length, 2);
  assert.ok(kept.length > 2 && kept.length < 60, String(kept.length));
  assert.equal(kept.length + gapsOf(posted).reduce((sum, gap) => sum + gap.count, 0), 62);
});

test('many documents, cuts and reloads: every number arrives once or lies in a gap', async () => {
  let random = 11;
  const next = (limit) => (random = (random * 48271) % 2147483647) % limit;
  const taken = new Map(), local = storageArea();
  const of = (client) => taken.get(client) || taken.set(client, new Set()).get(client);
  const take = (client, frames) => {
    for (const event of eventsOf(frames)) of(client).add(event.seq);
    for (const gap of gapsOf(frames)) for (const seq of range(gap.from, gap.to)) of(client).add(seq);
  };
  const wire = (page) => {
    for (const frame of page.posted.splice(0)) take(frame.client, [frame]);
    for (const { frames: [hello, ...frames] } of page.sockets) {
      if (!hello) continue;
      for (let seq = 1; seq < hello.next; seq++) of(hello.client).add(seq);
      take(hello.client, frames);
    }
  };
  const acked = (client) => {
    let seq = 0;
    while (of(client).has(seq + 1)) seq++;
    return seq;
  };
  const talk = (page) => {
    wire(page);
    for (const socket of page.sockets) if (socket.open && !socket.closed) socket.say({ t: 'ack', seq: acked(socket.frames[0].client) });
  };
  let time = 1704067200000;
  for (let round = 0; round < 40; round++) {
    const page = posting({ local });
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
      page.status = next(4) ? 202 : 503;
      page.clock.advance(next(900));
      await settled();
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
