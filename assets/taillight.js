/**
 * The browser client of taillight: records what a page does and sends it to the console it was loaded from.
 *
 *   <script src="http://127.0.0.1:8245/taillight.js" data-app="shop"></script>     first in <head>, no async
 *
 * Attributes: data-url (where taillight listens, for a copy of this file that your own server serves), data-app, data-build, data-user, data-console ("warn,error" unless told otherwise; "all", "off"),
 * data-max-message (500), data-max-stack (2000). Loaded from an address ending in taillight.js or taillight.mjs
 * it starts by itself; inside a bundle it waits for `taillight.init({url, key, app, build, user, console})`.
 *
 * It never throws into the page, never changes an argument, a result or an error, never reads a body or a typed
 * value, never records its own traffic or console lines, and takes no code from the network.
 *
 * /taillight.mjs is this text with two edits, made by the server:
 *   1. the right-hand side of the one line that declares SELF becomes `import.meta.url`;
 *   2. the line `export const {init, log, track, metric, error, setUser, flush, stop} = globalThis.taillight;`
 *      is appended.
 */
(function (window) {
  'use strict';

  /** @type {any} The page; empty in a worker. */
  const document = window.document || {};
  const SELF = document.currentScript && document.currentScript.src;
  if (window.taillight && typeof window.taillight.stop === 'function') return;

  /**
   * @typedef {{url?: string, key?: string, app?: string, build?: string, user?: string|null,
   *   console?: string|string[], maxMessage?: number, maxStack?: number, maskEmail?: boolean}} Options
   * @typedef {{seq: number, to: number, gap: boolean, sent: boolean, json: string, bytes: number, rank: number}} Entry
   *   One recorded event (`seq` = `to`), or a gap: the run of numbers `seq..to` whose events were dropped.
   * @typedef {{left: number, path: object[]}} Room  Characters left for one event, and the objects being walked.
   */

  const BATCH_MS = 100, BATCH_EVENTS = 100;
  const IN_FLIGHT = 4; // unacked batches; urgent ones take at most half, so that the batch they wait for always fits
  const WINDOW = 1000; // an urgent event overtakes at most this many; the server's window for early numbers is 1,024
  const BUFFER_EVENTS = 5000, BUFFER_BYTES = 2 * 1024 * 1024;
  const BEACON_BYTES = 60000; // browsers share 64 KiB between all beacons under way
  const RETRY_MS = 250, RETRY_MAX_MS = 10000; // full jitter, doubling
  const PROBE_MS = 30000, PROBE_MAX_MS = 300000; // after three refusals: each try prints a line in the page's console
  const STABLE_MS = 5000; // a connection that lasted this long starts the next retries from the beginning
  const WELCOME_MS = 10000;
  const EVENT_CHARS = 32000, STRING_CHARS = 4000, SCAN_CHARS = 16000, DEPTH = 6, KEYS = 50, ITEMS = 100;
  const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'report'];
  const TYPE_LEVELS = { error: 'error', metric: 'info', analytics: 'debug' };
  const CONSOLE_LEVELS = { trace: 'trace', debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error' };

  // Kept from the start: the page, its test clocks and other recorders may replace them later.
  const navigator = window.navigator || {};
  const console = Object.assign({}, window.console);
  const NativeSocket = window.WebSocket, clock = window.Date || Date, performance = window.performance;
  const later = (run, ms) => setTimer.call(window, run, ms), setTimer = window.setTimeout;
  const cancel = (timer) => clearTimer.call(window, timer), clearTimer = window.clearTimeout;
  const now = () => clock.now();
  const tick = () => (performance && performance.now ? performance.now() : now());
  const attribute = document.currentScript && document.currentScript.dataset || {};

  const settings = {
    url: attribute.url || (/\/taillight\.m?js([?#]|$)/.test(SELF || '') ? SELF : ''), key: '', app: attribute.app, build: attribute.build,
    user: attribute.user || null, console: 'console' in attribute ? attribute.console : 'warn,error',
    maxMessage: +attribute.maxMessage || 500, maxStack: +attribute.maxStack || 2000, maskEmail: true,
  };
  const remote = { enabled: true, sample: {}, minLevel: 0 };
  const counts = { filtered: 0, sampled: 0, dropped: 0, rejected: 0 };
  const ownErrors = [];
  let running = false, busy = false, announced = false, loadReported = false, undo = [];

  // ---- never into the page -----------------------------------------------------------------------------------

  function note(error) {
    ownErrors.push(String(error && error.message || error).slice(0, 200));
    if (ownErrors.length > 5) ownErrors.shift();
  }

  /** Runs `work`; what it throws is kept for diagnostics, and hooks that it trips over stay silent meanwhile. */
  function quietly(work, self, args) {
    const before = busy;
    busy = true;
    try {
      return work.apply(self, args || []);
    } catch (error) {
      note(error);
    } finally {
      busy = before;
    }
  }

  /** A hook: `work` that never throws and does nothing while another hook runs (a getter that logs, for one). */
  function hook(work) {
    return function () {
      return busy ? undefined : quietly(work, this, arguments);
    };
  }

  // ---- secrets -----------------------------------------------------------------------------------------------

  const REDACTED = '[redacted]';
  const SECRET = new Set(('password passwd pwd secret clientsecret token accesstoken refreshtoken idtoken apikey authorization ' +
    'cookie setcookie creditcard cardnumber cvv cvc privatekey ssn').split(' '));
  const SECRET_IN_CONTEXT = new Set(['phone', 'address']);
  const fold = (key) => key.slice(0, 64).toLowerCase().replace(/[^a-z0-9]/g, '');

  function luhn(digits) {
    let sum = 0;
    for (let i = 0; i < digits.length; i++) {
      const digit = +digits[digits.length - 1 - i] * (i % 2 ? 2 : 1);
      sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 === 0;
  }

  /** @param {string} text Takes Bearer and JWT shapes, card numbers, URL user-info and secret query values out. */
  function scrub(text) {
    return text
      .replace(/\bbearer\s+[\w.~+/=-]{8,2048}/gi, 'Bearer ' + REDACTED)
      .replace(/\beyJ[\w-]{5,2048}\.[\w-]{5,2048}\.[\w-]{0,2048}/g, REDACTED)
      .replace(/([?&#])([\w.%~-]{1,64})=([^&#\s"'<>]+)/g, (all, mark, key) => (SECRET.has(fold(key)) ? mark + key + '=' + REDACTED : all))
      .replace(/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^/\s?#@]{1,256}@/gi, '$1' + REDACTED + '@')
      .replace(/\b[2-6]\d{3}(?:[ -]?\d){9,15}\b/g, (all) => (luhn(all.replace(/\D/g, '')) ? REDACTED : all));
  }

  // ---- values made plain -------------------------------------------------------------------------------------

  const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const isError = (value) => !!value && typeof value === 'object' && (value instanceof Error || /^(Error|DOMException)$/.test(tagOf(value)));
  const isNode = (value, tag) => /Element$|^(Text|Comment|HTMLDocument|Document|DocumentFragment|ShadowRoot)$/.test(tag) && typeof value.nodeType === 'number';

  /** The data property `key` of `object`; a getter is not run. */
  function own(object, key) {
    const property = Object.getOwnPropertyDescriptor(object, key);
    return property && 'value' in property ? property.value : property ? '[getter]' : undefined;
  }

  function cut(text, limit) {
    if (text.length <= limit) return text;
    const end = Math.max(0, limit - 1);
    return text.slice(0, /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end) + '…';
  }

  /** @param {Room} room */
  function plainText(text, limit, room) {
    const short = cut(scrub(text.slice(0, SCAN_CHARS)), Math.min(limit, Math.max(room.left, 20)));
    room.left -= short.length;
    return short;
  }

  /** The element as a developer writes it: `<button#save.primary>`. */
  function nodeName(node) {
    if (node.nodeType !== 1) return String(node.nodeName);
    const classes = (node.getAttribute('class') || '').trim().split(/\s+/).filter(Boolean).slice(0, 3);
    return '<' + node.nodeName.toLowerCase() + (node.id ? '#' + node.id : '') + classes.map((name) => '.' + name).join('') + '>';
  }

  /** The one-line form of what is not plain data, else undefined. */
  function oneLine(value) {
    const tag = tagOf(value);
    if (isNode(value, tag)) return nodeName(value);
    if (tag === 'Date') return isNaN(+value) ? 'Invalid Date' : value.toISOString();
    if (tag === 'RegExp' || tag === 'URL') return String(value);
    if (ArrayBuffer.isView(value)) return '[' + tag + ' ' + value.byteLength + ' bytes]';
    if (value === window || tag === 'Window') return '[window]';
    if (tag !== 'Object' && tag !== 'Array' && tag !== 'Map' && tag !== 'Set' && Object.keys(value).length === 0) return '[' + tag + ']';
    return undefined;
  }

  /**
   * Copies `value` into JSON data: bounded in depth, width and length, secrets out, no getter run.
   * @param {Room} room @param {number} depth @param {boolean} inContext @param {number} [limit] characters of a string
   */
  function plain(value, room, depth, inContext, limit) {
    room.left -= 8;
    if (typeof value === 'string') return plainText(value, limit || STRING_CHARS, room);
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return isFinite(value) ? value : String(value);
    if (typeof value === 'bigint') return value + 'n';
    if (typeof value === 'function') return '[function ' + (own(value, 'name') || 'anonymous') + ']';
    if (typeof value !== 'object') return String(value);
    if (room.path.indexOf(value) >= 0) return '[circular]';
    const short = isError(value) ? undefined : oneLine(value);
    if (short !== undefined) return plainText(short, limit || STRING_CHARS, room);
    if (depth >= DEPTH || room.left <= 0) return Array.isArray(value) ? '[array ' + value.length + ']' : '[object]';
    room.path.push(value);
    const copy = plainObject(value, room, depth + 1, inContext);
    room.path.pop();
    return copy;
  }

  function plainObject(value, room, depth, inContext) {
    const kind = tagOf(value);
    if (Array.isArray(value)) return plainList(value, value.length, room, depth, inContext);
    if (kind === 'Map' || kind === 'Set') return { [kind + '(' + value.size + ')']: plainList(value, value.size, room, depth, inContext) };
    if (isError(value)) return plainObject(errorParts(value), room, depth, inContext);
    const copy = {}, keys = Object.keys(value);
    for (const key of keys.slice(0, KEYS)) {
      const item = own(value, key), name = fold(key);
      if (item === undefined) continue;
      const secret = SECRET.has(name) || inContext && SECRET_IN_CONTEXT.has(name);
      const limit = key === 'message' ? settings.maxMessage : key === 'stack' ? settings.maxStack : 0;
      room.left -= key.length;
      copy[cut(key, 200)] = secret && item !== null ? REDACTED
        : name === 'email' && settings.maskEmail && typeof item === 'string' ? cut(item.replace(/@.+/, '@***'), 200)
          : plain(item, room, depth, inContext || name === 'context', limit);
    }
    if (keys.length > KEYS) copy['…'] = keys.length - KEYS + ' more keys';
    return copy;
  }

  function plainList(items, length, room, depth, inContext) {
    const copy = [];
    for (const item of items) {
      if (copy.length === ITEMS || room.left <= 0) return copy.concat('… ' + (length - copy.length) + ' more');
      copy.push(plain(item, room, depth, inContext));
    }
    return copy;
  }

  function errorParts(error) {
    return { name: String(error.name), message: String(error.message), stack: typeof error.stack === 'string' ? error.stack : undefined, code: own(error, 'code') };
  }

  /** What is known of a thrown value: name, message, stack, and where they exist causes (5) and errors (10). */
  function thrown(value) {
    if (!isError(value)) return { message: text(value), value: typeof value === 'object' ? value : undefined };
    const parts = Object.assign({}, errorParts(value)), causes = [], seen = [value];
    for (let cause = value.cause; cause !== undefined && cause !== null && causes.length < 5 && seen.indexOf(cause) < 0; cause = isError(cause) ? cause.cause : undefined) {
      seen.push(cause);
      causes.push(isError(cause) ? errorParts(cause) : { message: text(cause) });
    }
    if (causes.length) parts.causes = causes;
    if (Array.isArray(value.errors)) parts.errors = value.errors.slice(0, 10).map((error) => (isError(error) ? errorParts(error) : { message: text(error) }));
    return parts;
  }

  /** One value as the text of a message. */
  function text(value) {
    if (typeof value === 'string') return value;
    if (isError(value)) return value.name + ': ' + value.message;
    const copy = plain(value, { left: STRING_CHARS, path: [] }, DEPTH - 4, false);
    return typeof copy === 'string' ? copy : JSON.stringify(copy);
  }

  /** Console arguments as one line, with the printf directives that consoles know. */
  function format(args) {
    if (args.length < 2 || typeof args[0] !== 'string') return args.map(text).join(' ');
    let next = 1;
    const number = (value) => (typeof value === 'number' || typeof value === 'string' ? Number(value) : typeof value === 'bigint' ? value : NaN);
    const line = args[0].slice(0, SCAN_CHARS).replace(/%[sdifoOc%]/g, (directive) => {
      if (directive === '%%') return '%';
      if (next >= args.length) return directive;
      const value = args[next++];
      if (directive === '%c') return '';
      if (directive === '%d' || directive === '%i') return String(typeof number(value) === 'number' ? Math.trunc(number(value)) : number(value));
      return directive === '%f' ? String(number(value)) : text(value);
    });
    return [line].concat(args.slice(next).map(text)).join(' ');
  }

  // ---- who this is -------------------------------------------------------------------------------------------

  function randomHex() {
    const bytes = new Uint8Array(16);
    if (window.crypto && window.crypto.getRandomValues) window.crypto.getRandomValues(bytes);
    else for (let i = 0; i < 16; i++) bytes[i] = Math.random() * 256;
    return Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
  }

  /** A value that lives as long as the tab; `make` gets the one before. Without storage it lives with the page. */
  function remembered(key, make) {
    let before = null;
    try {
      before = window.sessionStorage.getItem(key);
    } catch (error) { /* storage is blocked: every page is a new tab */ }
    const value = String(make(before));
    try {
      window.sessionStorage.setItem(key, value);
    } catch (error) { /* blocked or full, as above */ }
    return value;
  }

  const CLIENT = randomHex();
  const session = remembered('taillight.session', (before) => before || randomHex().slice(0, 16));
  const tab = remembered('taillight.tab', (before) => before || randomHex().slice(0, 12));
  const load = +remembered('taillight.load', (before) => (+before || 0) + 1);
  const pageUrl = () => cut(scrub(String(window.location && window.location.href || '')), 2000);

  // ---- the buffer: every number from acked + 1 to last is in exactly one entry, in order -------------------------

  /** @type {Entry[]} */
  let queue = [];
  let last = 0, acked = 0, events = 0, bytes = 0, waiting = [0, 0, 0], flushTimer = 0, beaconed = 0;

  const fullBatch = () => waiting[0] + waiting[1] + waiting[2] >= BATCH_EVENTS;

  function byteLength(string) {
    let length = string.length;
    for (let i = 0; i < string.length; i++) {
      const code = string.charCodeAt(i);
      if (code > 0x7f) length += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
    }
    return length;
  }

  /** The place of an event's level in LEVELS, found as the server finds it. */
  function levelOf(event) {
    if (event.type in TYPE_LEVELS) return LEVELS.indexOf(TYPE_LEVELS[event.type]);
    const level = LEVELS.indexOf(event.level === 'warning' ? 'warn' : event.level);
    return level < 0 ? LEVELS.indexOf('info') : level;
  }

  /** Takes one event. Numbers are given here, after sampling, so that they have no holes. */
  function record(event) {
    if (!running || !remote.enabled) return;
    const level = levelOf(event);
    const urgent = level === 4 || level === 5 || event.severity === 'high' || event.severity === 'critical';
    if (level < remote.minLevel) return void counts.filtered++;
    const rate = [remote.sample[event.subtype], remote.sample[event.type], 1].find((value) => typeof value === 'number');
    if (!urgent && Math.random() >= rate) return void counts.sampled++;
    event.timestamp = now();
    event['session-id'] = session;
    if (settings.user !== null) event['user-id'] = settings.user;
    const json = JSON.stringify(plainObject(event, { left: EVENT_CHARS, path: [] }, 0, false));
    const entry = { seq: ++last, to: last, gap: false, sent: false, json, bytes: byteLength(json), rank: urgent ? 2 : level >= 2 ? 1 : 0 };
    queue.push(entry);
    events++;
    bytes += entry.bytes;
    waiting[entry.rank]++;
    evict();
    if (urgent) sendUrgent(entry);
    else if (fullBatch()) pump();
    else flushLater(BATCH_MS);
  }

  function release(entry) {
    if (entry.gap) return;
    events--;
    bytes -= entry.bytes;
    if (!entry.sent) waiting[entry.rank]--;
  }

  /** Full: the oldest unsent event of the lowest rank becomes a gap, and gaps side by side become one. */
  function evict() {
    while (events > BUFFER_EVENTS || bytes > BUFFER_BYTES) {
      const rank = waiting.findIndex((count) => count > 0);
      const at = queue.findIndex((entry) => !entry.sent && !entry.gap && entry.rank === rank);
      if (at < 0) return;
      release(queue[at]);
      counts.dropped++;
      Object.assign(queue[at], { gap: true, json: '', bytes: 0 });
      for (const before of [at, at - 1]) {
        const a = queue[before], b = queue[before + 1];
        if (a && b && a.gap && b.gap && !a.sent && !b.sent) {
          a.to = b.to;
          queue.splice(before + 1, 1);
        }
      }
    }
  }

  /** Everything up to `seq` has been taken by the server and leaves the buffer. */
  function settle(seq) {
    acked = Math.max(acked, Math.min(seq, last) || 0);
    let done = 0;
    while (done < queue.length && queue[done].to <= acked) release(queue[done++]);
    queue.splice(0, done);
    link.inFlight = link.inFlight.filter((frame) => frame.to > acked);
  }

  // ---- the connection ----------------------------------------------------------------------------------------

  const link = { base: '', key: '', socket: null, ready: false, since: 0, tries: 0, refused: 0, ever: false, timer: 0, holdUntil: 0, maxBytes: 65536,
    /** @type {{to: number, urgent: boolean}[]} */ inFlight: [] };

  function address() {
    if (!settings.url) return false;
    const url = new window.URL(settings.url.replace(/^ws/, 'http'), document.baseURI || undefined);
    const key = settings.key || url.searchParams.get('k') || '';
    link.base = new window.URL('.', url).href;
    link.key = /^[A-Za-z0-9]{1,64}$/.test(key) ? key : '';
    return /^http/.test(link.base);
  }

  /** Our own addresses, not the whole origin: behind a dev server's proxy that is the app's origin too. */
  function isOwn(url) {
    return !!link.base && url.startsWith(link.base) && /^(v1\/|taillight\.)/.test(url.slice(link.base.length));
  }

  function connect() {
    cancel(link.timer);
    link.ready = false;
    link.socket = null;
    if (!NativeSocket || !running || !quietly(address)) return;
    let socket;
    try {
      socket = new NativeSocket(link.base.replace(/^http/, 'ws') + 'v1/ws', link.key ? ['taillight.v1', 'k.' + link.key] : ['taillight.v1']);
    } catch (error) {
      note(error);
      return lost();
    }
    link.socket = socket;
    const mine = (work) => (event) => { if (link.socket === socket) quietly(work, null, [event]); };
    socket.onopen = mine(() => socket.send(JSON.stringify({ t: 'hello', v: 1, client: CLIENT, session, user: settings.user, tab, load,
      app: settings.app, build: settings.build, page: pageUrl(), now: now(), next: acked + 1 })));
    socket.onmessage = mine((event) => receive(JSON.parse(event.data)));
    socket.onclose = mine(lost);
    link.timer = later(mine(() => { socket.close(); lost(); }), WELCOME_MS);
  }

  /** The connection ended: what was sent and not acked waits again, and the next try comes later each time. */
  function lost() {
    cancel(link.timer);
    link.socket = null;
    link.ready = false;
    resetSent();
    if (!running) return;
    if (link.since && now() - link.since > STABLE_MS) link.tries = 0;
    link.since = 0;
    let wait = Math.random() * Math.min(RETRY_MAX_MS, RETRY_MS * Math.pow(2, link.tries++));
    if (!link.ever && ++link.refused === 3) {
      const origin = window.location && window.location.origin;
      if (console.warn) console.warn('taillight: no connection to ' + link.base + ' from ' + origin + '. If it is running, it refuses this origin: start it with --allow-origin ' +
        origin + ', or use the script tag with ?k= that it prints. If not, start it and reload.');
    }
    if (!link.ever && link.refused >= 3) wait = (0.5 + Math.random() / 2) * Math.min(PROBE_MAX_MS, PROBE_MS * Math.pow(2, link.refused - 3));
    link.timer = later(() => quietly(connect), wait);
  }

  function resetSent() {
    link.inFlight = [];
    waiting = [0, 0, 0];
    for (const entry of queue) {
      entry.sent = false;
      if (!entry.gap) waiting[entry.rank]++;
    }
  }

  function flushLater(ms) {
    if (!flushTimer) flushTimer = later(() => { flushTimer = 0; quietly(pump); }, ms);
  }

  /** @param {'batch'|'urgent'} t @param {Entry[]} run entries with consecutive numbers */
  function post(t, run) {
    const to = run[run.length - 1].seq;
    link.socket.send('{"t":"' + t + '","seq":' + run[0].seq + ',"events":[' + run.map((entry) => entry.json).join(',') + ']}');
    link.inFlight.push({ to, urgent: t === 'urgent' });
    for (const entry of run) {
      entry.sent = true;
      waiting[entry.rank]--;
    }
  }

  /** The events from `at` on that may share a frame. */
  function runAt(at, limit, sendable) {
    let end = at, size = 0;
    while (end < queue.length && end - at < BATCH_EVENTS && !queue[end].gap && sendable(queue[end]) && (end === at || size + queue[end].bytes < limit)) size += queue[end++].bytes + 1;
    return queue.slice(at, end);
  }

  /** Sends what waits, oldest first. @param {boolean} [leaving] the page goes away: no limit on what is in flight */
  function pump(leaving) {
    if (!link.ready) return;
    const hold = link.holdUntil - now();
    if (hold > 0 && !leaving) return flushLater(hold);
    for (let at = 0; at < queue.length; at++) {
      const entry = queue[at];
      if (entry.sent) continue;
      if (entry.gap) {
        const from = Math.max(entry.seq, acked + 1);
        link.socket.send(JSON.stringify({ t: 'gap', from, to: entry.to, count: entry.to - from + 1, reason: 'buffer-full' }));
        entry.sent = true;
        continue;
      }
      if (link.inFlight.length >= IN_FLIGHT && !leaving) return;
      const run = runAt(at, link.maxBytes - 64, (other) => !other.sent);
      post('batch', run);
      at += run.length - 1;
    }
  }

  function sendUrgent(entry) {
    const urgent = link.inFlight.filter((frame) => frame.urgent).length;
    if (!entry.gap && link.ready && now() >= link.holdUntil && urgent < IN_FLIGHT / 2 && link.inFlight.length < IN_FLIGHT && entry.seq - acked <= WINDOW) post('urgent', [entry]);
    else pump();
  }

  // ---- what the server may say -------------------------------------------------------------------------------

  function configure(message) {
    if (message.sample && typeof message.sample === 'object') remote.sample = message.sample;
    if (LEVELS.includes(message['min-level'])) remote.minLevel = LEVELS.indexOf(message['min-level']);
    if (typeof message.enabled === 'boolean') remote.enabled = message.enabled;
  }

  const receivers = {
    welcome(message) {
      cancel(link.timer);
      settle(message.acked);
      configure(message);
      if (message['max-bytes'] > 1024) link.maxBytes = message['max-bytes'];
      Object.assign(link, { ready: true, ever: true, since: now(), holdUntil: 0 });
      pump();
    },
    ack(message) {
      settle(message.seq);
      if (!flushTimer || fullBatch()) pump();
    },
    nack(message) {
      counts.rejected += Array.isArray(message.rejected) ? message.rejected.length : 0;
    },
    throttle(message) {
      link.holdUntil = now() + Math.min(Math.max(+message.ms || 0, 0), 60000);
    },
    config: configure,
    error(message) {
      note('server: ' + message.code + ' ' + message.message);
    },
    request(message) {
      if (!announced && console.debug) console.debug('taillight: the console at ' + link.base + ' asked this page for "' + cut(String(message.kind), 40) + '"');
      announced = true;
      const answer = Object.prototype.hasOwnProperty.call(answers, message.kind) ? answers[message.kind]() : { error: 'unknown kind' };
      link.socket.send(JSON.stringify({ t: 'reply', id: message.id, data: plainObject(answer, { left: EVENT_CHARS, path: [] }, 0, false) }));
    },
  };

  const answers = {
    ping: () => ({ now: now() }),
    flush() {
      pump();
      return { buffered: events };
    },
    diagnostics: () => ({
      url: pageUrl(), title: document.title, viewport: { width: window.innerWidth, height: window.innerHeight }, language: navigator.language,
      'user-agent': navigator.userAgent, memory: pick(performance && performance.memory, ['usedJSHeapSize', 'totalJSHeapSize', 'jsHeapSizeLimit']),
      connection: pick(navigator.connection, ['effectiveType', 'rtt', 'downlink', 'saveData']),
      storage: { local: storageKeys('localStorage'), session: storageKeys('sessionStorage') },
      recorded: last, acked, buffered: events, dropped: counts.dropped, filtered: counts.filtered, sampled: counts.sampled, rejected: counts.rejected, errors: ownErrors,
    }),
  };

  const pick = (object, keys) => object && keys.reduce((picked, key) => Object.assign(picked, { [key]: object[key] }), {});

  function storageKeys(area) {
    try {
      return Object.keys(window[area]).slice(0, ITEMS).map((key) => cut(key, 100));
    } catch (error) {
      return [];
    }
  }

  function receive(message) {
    if (message && Object.prototype.hasOwnProperty.call(receivers, message.t)) receivers[message.t](message);
  }

  // ---- leaving -----------------------------------------------------------------------------------------------

  /** What is not acked goes once more as beacons, under the same numbers, so that the server drops what it has. */
  function beacon() {
    if (!navigator.sendBeacon || !link.base) return;
    let room = BEACON_BYTES;
    for (let at = 0; at < queue.length; at++) {
      if (queue[at].gap || queue[at].seq <= beaconed) continue;
      const head = JSON.stringify({ t: 'batch', client: CLIENT, session, user: settings.user, tab, load, page: pageUrl(), seq: queue[at].seq }).slice(0, -1) + ',"events":[';
      const space = room - byteLength(head) - 2, run = runAt(at, space, () => true);
      if (space < run[0].bytes) return;
      const body = head + run.map((entry) => entry.json).join(',') + ']}';
      if (!navigator.sendBeacon(link.base + 'v1/events' + (link.key ? '?k=' + link.key : ''), body)) return;
      room -= byteLength(body);
      at += run.length - 1;
      beaconed = queue[at].seq;
    }
  }

  function leave(dying) {
    pump(dying);
    beacon();
  }

  // ---- collectors: each looks whether it can work here, and returns its undo ---------------------------------------

  function listen(target, type, work, options) {
    if (!target || !target.addEventListener) return undefined;
    const hooked = hook(work);
    target.addEventListener(type, hooked, options);
    return () => target.removeEventListener(type, hooked, options);
  }

  /** Puts `around(original, self, args)` in place of a function; a Proxy keeps its name, length and text. */
  function replace(owner, name, around) {
    const original = owner && owner[name];
    if (typeof original !== 'function') return undefined;
    let alive = true;
    const wrapper = new Proxy(original, {
      apply: (target, self, args) => (alive && !busy ? around(target, self, args) : Reflect.apply(target, self, args)),
    });
    owner[name] = wrapper;
    return () => {
      alive = false;
      if (owner[name] === wrapper) owner[name] = original;
    };
  }

  const watchErrors = () => listen(window, 'error', (event) => {
    const target = event.target;
    if (target && target !== window && target.nodeType === 1) return resourceFailed(target);
    const known = event.error === undefined || event.error === null ? {} : thrown(event.error);
    const message = isError(event.error) ? known.message || known.name : String(event.message || known.message);
    record(Object.assign({ type: 'error', subtype: 'javascript' }, known, { message,
      location: { url: event.filename || undefined, line: event.lineno || undefined, column: event.colno || undefined },
      hint: message === 'Script error.' ? 'the script is from another origin: add crossorigin to its tag' : undefined,
      'user-agent': navigator.userAgent, severity: 'high' }));
  }, true);

  function resourceFailed(element) {
    const tag = element.nodeName.toLowerCase(), url = element.currentSrc || element.src || element.href;
    if (!/^(img|script|link|source|video|audio|iframe)$/.test(tag) || typeof url !== 'string' || !url || isOwn(url)) return;
    record({ type: 'error', subtype: 'resource', message: 'Failed to load ' + tag + ' ' + url, url, element: selector(element), severity: 'medium' });
  }

  const watchRejections = () => listen(window, 'unhandledrejection', (event) =>
    record(Object.assign({ type: 'error', subtype: 'promise' }, thrown(event.reason), { severity: 'high' })));

  function watchConsole() {
    const wanted = String(settings.console || '').toLowerCase().split(/[\s,]+/);
    const undos = Object.keys(CONSOLE_LEVELS).filter((name) => wanted.includes(name) || wanted.includes('all')).map((name) =>
      replace(window.console, name, (original, self, args) => {
        const result = Reflect.apply(original, self, args);
        quietly(consoleLine, null, [name, args]);
        return result;
      }));
    return () => undos.forEach((undone) => undone && undone());
  }

  function consoleLine(name, args) {
    const error = args.find(isError), known = error ? thrown(error) : {};
    record(Object.assign({ type: name === 'error' ? 'error' : 'log', subtype: 'console', level: CONSOLE_LEVELS[name] }, known, {
      message: format(args), args: args.length > 1 || typeof args[0] !== 'string' ? args : undefined,
      severity: name === 'error' ? 'medium' : 'low' }));
  }

  const watchFetch = () => replace(window, 'fetch', (original, self, args) => {
    const call = quietly(fetchCall, null, args);
    const promise = Reflect.apply(original, self, args);
    if (!call || !promise || typeof promise.then !== 'function') return promise;
    // A branch beside the page's own would mark its rejection as handled; handing the value through does not.
    return promise.then((response) => {
      quietly(fetchAnswered, null, [call, response]);
      return response;
    }, (error) => {
      quietly(fetchFailed, null, [call, error]);
      throw error;
    });
  });

  function fetchCall(input, init) {
    const request = input && typeof input === 'object' && typeof input.url === 'string' ? input : {};
    const url = new window.URL(typeof input === 'string' ? input : request.url || input.href || String(input), document.baseURI || undefined).href;
    if (isOwn(url)) return undefined;
    const method = String(init && init.method || request.method || 'GET').toUpperCase();
    return { url, method, signal: init && init.signal || request.signal, start: tick(), stack: new Error().stack };
  }

  function fetchEvent(type, subtype, call) {
    return { type, subtype, url: call.url, method: call.method, 'duration-ms': Math.round((tick() - call.start) * 1000) / 1000 };
  }

  function fetchAnswered(call, response) {
    record(Object.assign(fetchEvent('metric', 'api-call', call), { status: response.status || undefined }));
  }

  function fetchFailed(call, error) {
    const name = error && error.name, signal = call.signal;
    if (name === 'AbortError' || signal && signal.aborted && signal.reason === error && name !== 'TimeoutError') {
      return record(Object.assign(fetchEvent('metric', 'api-call', call), { aborted: true }));
    }
    const file = SELF ? SELF.split('?')[0] : '\n';
    const frames = String(call.stack || '').split('\n').filter((line) => line && line !== 'Error' && !line.includes(file));
    const known = thrown(error);
    record(Object.assign(fetchEvent('error', 'network', call), { name: known.name, message: known.message,
      stack: [text(error)].concat(frames).join('\n'), severity: 'medium' }));
  }

  function watchPageLoad() {
    if (!performance || !performance.getEntriesByType || loadReported) return undefined;
    let tries = 0, timer = 0;
    const look = () => {
      const entry = performance.getEntriesByType('navigation').find((navigation) => navigation.loadEventEnd > 0);
      if (entry) pageLoaded(entry);
      else if (tries++ < 50) timer = later(() => quietly(look), 100);
    };
    const soon = () => { timer = later(() => quietly(look), 0); };
    if (document.readyState === 'complete') soon();
    const unlisten = listen(window, 'load', soon);
    return () => { cancel(timer); unlisten && unlisten(); };
  }

  function pageLoaded(entry) {
    if (loadReported) return;
    loadReported = true;
    const span = (from, to) => Math.round(Math.max(0, to - from) * 10) / 10;
    const resources = performance.getEntriesByType('resource').filter((resource) => !isOwn(resource.name));
    const size = resources.concat(entry).reduce((sum, resource) => sum + (resource.transferSize || 0), 0);
    record({ type: 'metric', subtype: 'page-load', url: String(window.location.href), timing: {
      'dns-lookup': span(entry.domainLookupStart, entry.domainLookupEnd),
      'tcp-connect': span(entry.connectStart, entry.secureConnectionStart || entry.connectEnd),
      'tls-handshake': entry.secureConnectionStart ? span(entry.secureConnectionStart, entry.connectEnd) : 0,
      'server-response': span(entry.requestStart, entry.responseEnd),
      'dom-content-loaded': span(entry.startTime, entry.domContentLoadedEventEnd),
      'fully-loaded': span(entry.startTime, entry.loadEventEnd),
    }, resources: { count: resources.length, 'total-size-kb': Math.round(size / 1024) } });
  }

  const CONTROL = 'button,a,label,summary,input,select,textarea,[role=button],[role=link],[role=tab],[role=menuitem]';
  const TYPED = 'input,textarea,select,option,[contenteditable]', HOLDS_TYPED = 'textarea,select,[contenteditable]';

  const watchClicks = () => listen(document, 'click', (event) => {
    const path = event.composedPath ? event.composedPath() : [];
    const target = path[0] || event.target;
    if (!target || target.nodeType !== 1 || target.closest('[data-taillight-ignore]')) return;
    const element = target.closest(CONTROL) || target;
    const typed = element.closest(TYPED) || element.isContentEditable || element.childElementCount > 20 || element.querySelector(HOLDS_TYPED);
    const words = typed ? '' : (element.textContent || '').replace(/\s+/g, ' ').trim();
    record({ type: 'analytics', subtype: 'user-action', action: 'click', 'element-id': element.id || undefined,
      'element-class': element.getAttribute('class') || undefined, 'element-text': words && words.length < 50 ? words : undefined,
      element: selector(element), page: window.location.pathname });
  }, { capture: true, passive: true });

  /** A selector that survives a new build: ids and test ids first, else the path from the nearest one. */
  function selector(element) {
    const steps = [];
    for (let node = element; node && node.nodeType === 1 && steps.length < 5; node = node.parentElement) {
      const tag = node.nodeName.toLowerCase(), mark = ['data-testid', 'data-test', 'name'].find((name) => node.getAttribute(name));
      if (node.id) return [tag + '#' + node.id].concat(steps).join(' > ');
      if (mark) return [tag + '[' + mark + '="' + cut(node.getAttribute(mark), 60) + '"]'].concat(steps).join(' > ');
      const twins = node.parentElement ? Array.from(node.parentElement.children).filter((child) => child.nodeName === node.nodeName) : [];
      steps.unshift(tag + (twins.length > 1 ? ':nth-of-type(' + (twins.indexOf(node) + 1) + ')' : ''));
    }
    return steps.join(' > ');
  }

  const watchLeaving = () => listen(window, 'pagehide', () => leave(true));

  const watchVisibility = () => listen(document, 'visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave(false);
    else beaconed = 0;
  });

  // A page back from the back/forward cache holds a dead socket that still says it is open.
  const watchReturn = () => listen(window, 'pageshow', (event) => {
    if (!event.persisted) return;
    beaconed = 0;
    resetSent();
    connect();
  });

  const COLLECTORS = [watchErrors, watchRejections, watchConsole, watchFetch, watchPageLoad, watchClicks, watchLeaving, watchVisibility, watchReturn];

  function install() {
    undo = COLLECTORS.map((collector) => quietly(collector));
  }

  function uninstall() {
    for (const undone of undo.splice(0)) if (undone) quietly(undone);
  }

  // ---- what the page may call --------------------------------------------------------------------------------

  const api = {
    /** Starts, or changes the settings of, the client. @param {Options} [options] */
    init(options) {
      for (const key of Object.keys(options || {})) if (key in settings && options[key] !== undefined) settings[key] = options[key];
      uninstall();
      const moved = !running || options && (options.url || options.key);
      running = true;
      if (moved) {
        resetSent();
        if (link.socket) link.socket.close();
        connect();
      }
      install();
    },
    /** @param {string} level @param {any} message @param {object} [context] */
    log(level, message, context) {
      record({ type: 'log', level: String(level).toLowerCase(), message: text(message), context });
    },
    /** @param {string} name @param {object} [properties] */
    track(name, properties) {
      record({ type: 'analytics', subtype: 'custom', 'event-name': String(name), properties });
    },
    /** @param {string} name @param {number} value @param {string} [unit] */
    metric(name, value, unit) {
      record({ type: 'metric', subtype: 'custom', 'metric-name': String(name), value, unit });
    },
    /** @param {any} error @param {object} [context] */
    error(error, context) {
      record(Object.assign({ type: 'error', subtype: 'javascript' }, thrown(error), { handled: true, context, severity: 'medium' }));
    },
    /** @param {string|number|null} id */
    setUser(id) {
      settings.user = id === null || id === undefined ? null : String(id);
    },
    /** Sends what waits, now. */
    flush() {
      pump();
    },
    /** Gives back what was replaced, sends what waits and closes. `init()` starts again. */
    stop() {
      uninstall();
      if (link.ready) pump(true);
      else beacon();
      running = false;
      cancel(link.timer);
      if (link.socket) link.socket.close();
      link.socket = null;
      link.ready = false;
    },
  };

  const shown = {};
  for (const name of Object.keys(api)) shown[name] = hook(function () { api[name].apply(null, arguments); });
  quietly(() => { window.taillight = Object.freeze(shown); });
  if (settings.url) shown.init();
})(self);
