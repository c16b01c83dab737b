// A browser page made of plain objects: its clock, timers, sockets and storage move only when a test says so.
import { readFileSync } from 'node:fs';

/** The client; `TAILLIGHT_CLIENT` names another text of it, as its user's minifier makes one (size.test.mjs). */
export const SOURCE = readFileSync(process.env.TAILLIGHT_CLIENT || new URL('../../assets/taillight.js', import.meta.url), 'utf8');

const START = 1704067200000;

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
    for (const one of this.listeners.slice()) if (one.type === type) one.run(Object.defineProperties({ type, target: this, composedPath() { return [this.target]; } }, Object.getOwnPropertyDescriptors(event)));
  }
}

/** Timers and `Date.now` on one hand-moved clock, from a fixed moment. */
class Clock {
  constructor() {
    this.time = START;
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
  return class FakeSocket extends Target {
    constructor(url, protocols) {
      super();
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
    /** Acks all that was sent. */
    ack() {
      this.say({ t: 'ack', seq: Math.max(0, ...this.events.map((event) => event.seq)) });
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

/** A storage area: its keys are its own properties, as in browsers. @param {number} [quota] characters it takes */
export function storageArea(quota = Infinity) {
  const area = new Proxy({}, {
    set(items, key, value) {
      const size = Object.entries(items).reduce((sum, [name, text]) => sum + (name === key ? 0 : name.length + text.length), key.length + String(value).length);
      if (size > quota) throw new DOMException('full', 'QuotaExceededError');
      items[key] = String(value);
      return true;
    },
  });
  return Object.setPrototypeOf(area, {
    getItem: (key) => (Object.hasOwn(area, key) ? area[key] : null),
    setItem(key, value) { area[key] = value; },
    removeItem(key) { delete area[key]; },
  });
}

/** Performance observers that see what a test tells them. */
function observerClass(page, types) {
  return class FakeObserver {
    static supportedEntryTypes = types;
    constructor(run) {
      Object.assign(this, { run, waiting: [], options: {}, alive: false });
      page.observers.push(this);
    }
    observe(options) {
      Object.assign(this, { options, alive: true });
    }
    disconnect() {
      this.alive = false;
    }
    takeRecords() {
      return this.waiting.splice(0);
    }
  };
}

/** An XMLHttpRequest that ends as the test says. */
function requestClass(page) {
  return class FakeRequest extends Target {
    constructor() {
      super();
      Object.assign(this, { readyState: 0, status: 0, responseURL: '' });
      page.requests.push(this);
    }
    open(...args) {
      this.opened = args;
      this.readyState = 1;
    }
    send(...args) {
      this.sent = args;
      if (this.fails) throw this.fails;
      return undefined;
    }
    headers(status) {
      this.readyState = 2;
      this.status = status;
      this.emit('readystatechange');
    }
    end(how) {
      this.readyState = 4;
      this.emit(how || 'load');
      this.emit('loadend');
    }
  };
}

/** @param {object} [changes] what differs in `window`; `undefined` takes a part away */
export function makePage(changes = {}) {
  const page = { sockets: [], beacons: [], observers: [], requests: [], frames: [], clock: new Clock(), storage: storageArea(), local: changes.local || storageArea() };
  const window = new Target();
  const src = changes.src === undefined ? 'http://127.0.0.1:8245/taillight.js?k=ABCDEFGHIJKLMNOP' : changes.src;
  page.document = Object.assign(new Target(), { readyState: 'loading', visibilityState: 'visible', baseURI: 'http://localhost:5173/shop/', title: 'Shop',
    currentScript: { src, dataset: changes.dataset || {} } });
  Object.assign(window, {
    document: page.document, URL, crypto: globalThis.crypto, console: fakeConsole(), WebSocket: socketClass(page),
    Date: { now: () => page.clock.time }, performance: { interactionCount: 0, now: () => page.clock.time - START, getEntriesByType: (type) => (changes.entries || {})[type] || [], getEntriesByName: () => [] },
    setTimeout: (run, ms) => page.clock.set(run, ms), clearTimeout: (id) => page.clock.clear(id),
    location: { href: 'http://localhost:5173/shop/?token=abc', origin: 'http://localhost:5173', pathname: '/shop/' },
    navigator: { userAgent: 'fake/1', language: 'en', sendBeacon: (url, body) => page.beacons.push({ url, body }) > 0 },
    sessionStorage: page.storage,
    fetch: async () => ({ status: 200 }), DOMException, localStorage: page.local, XMLHttpRequest: requestClass(page),
    PerformanceObserver: observerClass(page, changes.observe || []), parent: window, requestAnimationFrame: (run) => page.frames.push(run),
    history: { pushState: (state, title, url) => page.go(url), replaceState: (state, title, url) => page.go(url) },
  });
  for (const [key, value] of Object.entries(changes.window || {})) window[key] = value;
  page.window = window;
  page.go = (url) => {
    const { href, origin, pathname } = new URL(url, window.location.href);
    Object.assign(window.location, { href, origin, pathname });
  };
  /** Performance entries, as the browser hands them to whoever observes their type. @param {boolean} [wait] until records are taken */
  page.perform = (type, entries, wait) => {
    for (const observer of page.observers) {
      if (!observer.alive || observer.options.type !== type) continue;
      const list = [].concat(entries).map((entry) => Object.assign({ entryType: type }, entry));
      if (wait) observer.waiting.push(...list);
      else observer.run({ getEntries: () => list });
    }
  };
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

class FakeElement {}

/** An element with the little that the client asks of one. */
export function element(name, attributes = {}, parent = null, words = '') {
  const matches = (node, selectors) => selectors.split(',').some((one) => {
    const found = /^([a-z]*)(?:\[([\w-]+)(?:=(\w+))?\])?$/.exec(one);
    return (!found[1] || found[1] === name) && (!found[2] || (found[3] ? attributes[found[2]] === found[3] : found[2] in attributes));
  });
  const node = { nodeType: 1, nodeName: name.toUpperCase(), id: attributes.id || '', parentElement: parent, children: [], textContent: words,
    src: attributes.src, href: attributes.href, get childElementCount() { return this.children.length; },
    getRootNode: () => (parent ? parent.getRootNode() : { host: attributes.host }), getAttribute: (key) => (key in attributes ? attributes[key] : null),
    matches: (selectors) => (selectors === ':only-of-type' ? !parent?.children.some((child) => child !== node && child.nodeName === node.nodeName) : matches(node, selectors)),
    get previousElementSibling() { return parent?.children[parent.children.indexOf(node) - 1] ?? null; },
    closest: (selectors) => (matches(node, selectors) ? node : parent && parent.closest(selectors)),
    querySelector: (selectors) => node.children.find((child) => child.matches(selectors) || child.querySelector(selectors)) || null,
    [Symbol.toStringTag]: 'HTML' + name + 'Element' };
  Object.setPrototypeOf(node, FakeElement.prototype);
  if (parent) parent.children.push(node);
  return node;
}

/** The events so far in the order of their numbers, without what every event has. */
export function events(page, { flush = true } = {}) {
  if (flush) page.taillight.flush();
  return page.sockets[page.sockets.length - 1].events.sort((a, b) => a.seq - b.seq)
    .map(({ seq, timestamp, 'session-id': session, page: path, ...event }) => event);
}

export function only(page) {
  const all = events(page);
  if (all.length !== 1) throw new Error(all.length + ' events: ' + JSON.stringify(all));
  return all[0];
}

/** After every promise that is settled by now has told so. */
export const settled = () => new Promise((done) => setImmediate(done));
