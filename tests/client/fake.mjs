// A browser page made of plain objects: its clock, timers, sockets and storage move only when a test says so.
import { readFileSync } from 'node:fs';

export const SOURCE = readFileSync(new URL('../../assets/taillight.js', import.meta.url), 'utf8');

class Target {
  constructor() {
    this.listeners = [];
  }
  addEventListener(type, run) {
    this.listeners.push({ type, run });
  }
  removeEventListener(type, run) {
    this.listeners = this.listeners.filter((one) => one.type !== type || one.run !== run);
  }
  emit(type, event = {}) {
    for (const one of this.listeners.slice()) if (one.type === type) one.run(Object.defineProperties({ type, target: this }, Object.getOwnPropertyDescriptors(event)));
  }
}

/** Timers and `Date.now` on one hand-moved clock, from a fixed moment. */
class Clock {
  constructor() {
    this.time = 1704067200000;
    this.timers = [];
    this.next = 1;
  }
  set(run, ms) {
    this.timers.push({ id: this.next, at: this.time + (ms || 0), run });
    return this.next++;
  }
  clear(id) {
    this.timers = this.timers.filter((timer) => timer.id !== id);
  }
  advance(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at || a.id - b.id)[0];
      if (!due) break;
      this.clear(due.id);
      this.time = due.at;
      due.run();
    }
    this.time = end;
  }
}

function socketClass(page) {
  return class FakeSocket {
    constructor(url, protocols) {
      Object.assign(this, { url, protocols, frames: [], open: false, closed: false });
      page.sockets.push(this);
    }
    send(text) {
      if (!this.open) throw new Error('not open');
      this.frames.push(JSON.parse(text));
    }
    close() {
      this.closed = true;
    }
    // What the other side does:
    accept(welcome = {}) {
      this.open = true;
      this.onopen({});
      this.say(Object.assign({ t: 'welcome', v: 1, acked: 0, now: page.clock.time, level: 'seen', 'max-bytes': 65536 }, welcome));
      return this;
    }
    say(message) {
      this.onmessage({ data: JSON.stringify(message) });
    }
    drop() {
      this.open = false;
      this.onclose({ code: 1006 });
    }
    of(...kinds) {
      return this.frames.filter((frame) => kinds.includes(frame.t));
    }
    get events() {
      return this.of('batch', 'urgent').flatMap((frame) => frame.events.map((event, index) => Object.assign({ seq: frame.seq + index }, event)));
    }
  };
}

export function fakeConsole() {
  const lines = [];
  const out = { lines };
  for (const name of ['trace', 'debug', 'log', 'info', 'warn', 'error']) out[name] = function (...args) { lines.push({ name, args, self: this }); };
  return out;
}

/** @param {object} [changes] what differs in `window`; `undefined` takes a part away */
export function makePage(changes = {}) {
  const page = { sockets: [], beacons: [], clock: new Clock(), storage: new Map() };
  const window = new Target();
  const src = changes.src === undefined ? 'http://127.0.0.1:8245/taillight.js?k=ABCDEFGHIJKLMNOP' : changes.src;
  page.document = Object.assign(new Target(), { readyState: 'loading', visibilityState: 'visible', baseURI: 'http://localhost:5173/shop/', title: 'Shop',
    currentScript: { src, dataset: changes.dataset || {} } });
  Object.assign(window, {
    document: page.document, URL, crypto: globalThis.crypto, console: fakeConsole(), WebSocket: socketClass(page),
    Date: { now: () => page.clock.time }, performance: { now: () => page.clock.time, getEntriesByType: () => [] },
    setTimeout: (run, ms) => page.clock.set(run, ms), clearTimeout: (id) => page.clock.clear(id),
    location: { href: 'http://localhost:5173/shop/?token=abc', origin: 'http://localhost:5173', pathname: '/shop/' },
    navigator: { userAgent: 'fake/1', language: 'en', sendBeacon: (url, body) => page.beacons.push({ url, body }) > 0 },
    sessionStorage: { getItem: (key) => (page.storage.has(key) ? page.storage.get(key) : null), setItem: (key, value) => page.storage.set(key, value) },
    fetch: async () => ({ status: 200 }),
  });
  for (const [key, value] of Object.entries(changes.window || {})) window[key] = value;
  page.window = window;
  page.run = () => {
    new Function('self', SOURCE)(window);
    return (page.taillight = window.taillight);
  };
  if (!changes.idle) page.run();
  Object.defineProperty(page, 'socket', { get: () => page.sockets[page.sockets.length - 1] });
  return page;
}

/** A page that is connected, with what it has sent so far. */
export function connected(changes) {
  const page = makePage(changes);
  page.socket.accept();
  return page;
}

/** An element with the little that the client asks of one. */
export function element(name, attributes = {}, parent = null, words = '') {
  const matches = (node, selectors) => selectors.split(',').some((one) => {
    const found = /^([a-z]*)(?:\[([\w-]+)(?:=(\w+))?\])?$/.exec(one);
    return (!found[1] || found[1] === name) && (!found[2] || (found[3] ? attributes[found[2]] === found[3] : found[2] in attributes));
  });
  const node = { nodeType: 1, nodeName: name.toUpperCase(), id: attributes.id || '', parentElement: parent, children: [], textContent: words,
    src: attributes.src, get childElementCount() { return this.children.length; },
    getAttribute: (key) => (key in attributes ? attributes[key] : null),
    matches: (selectors) => matches(node, selectors),
    closest: (selectors) => (matches(node, selectors) ? node : parent && parent.closest(selectors)),
    querySelector: (selectors) => node.children.find((child) => child.matches(selectors) || child.querySelector(selectors)) || null,
    [Symbol.toStringTag]: 'HTML' + name + 'Element' };
  if (parent) parent.children.push(node);
  return node;
}
