/**
 * The browser client of taillight: records what a page does and sends it to the console it was loaded from.
 *
 *   <script src="http://127.0.0.1:8245/taillight.js" data-app="shop"></script>     first in <head>, no async
 *
 * Every setting below is an attribute too (maxStack: data-max-stack). Loaded from an address that ends in taillight.js
 * or taillight.mjs it starts by itself; inside a bundle and in a worker it waits for `taillight.init({url, …})`.
 *
 * It never throws into the page, never changes an argument, a result or an error, never reads a body or a typed
 * value, never records its own traffic, and takes no code from the network.
 *
 * /taillight.mjs is this text with two edits, made by the server: the right-hand side of the one line that declares
 * SELF becomes `import.meta.url`, and a line that exports the calls is appended.
 */
(function (window) {
  'use strict';

  /** @type {any} The page; empty in a worker. */
  const document = window.document || {};
  const SELF = document.currentScript && document.currentScript.src;
  if (window.taillight && typeof window.taillight.stop === 'function') return;

  /**
   * @typedef {{seq: number, to: number, json: string, bytes: number, rank: number, sent?: boolean, beaconed?: boolean}} Entry
   *   One recorded event (`seq` = `to`), or without `json` a gap: the numbers `seq..to`, whose events were dropped.
   * @typedef {{left: number, path: object[]}} Room  Characters left for one event, and the objects being walked.
   */

  const IN_FLIGHT = 4; // unacked batches; urgent ones take at most half, so that the batch they wait for always fits
  const WINDOW = 1000; // an urgent event overtakes at most this many; the server's window for early numbers is 1,024
  const BUFFER_EVENTS = 5000, BUFFER_BYTES = 2097152, STORE_CHARS = 2097152, STORE = 'taillight.q.';
  const BEACON_BYTES = 60000; // browsers share 64 KiB between all beacons under way
  const RETRY_MS = 250, RETRY_MAX_MS = 10000; // full jitter, doubling
  const PROBE_MS = 30000, PROBE_MAX_MS = 300000; // when nobody listens: each try prints a line in the page's console
  const STABLE_MS = 5000; // a connection that lasted this long starts the next retries from the beginning
  const WELCOME_MS = 10000, ACK_MS = 60000, ANSWER_MS = 10000, SAVE_MS = 2000, STALE_MS = 60000;
  const BODY_MS = 3000; // a request whose body is still open then is told without its end
  const BURST = 5, BURST_MS = 1000, BURSTS = 200; // so many equal errors a second are told one by one
  const EVENT_CHARS = 32000, ANSWER_CHARS = 80000, STRING_CHARS = 4000, SCAN_CHARS = 16000, DEPTH = 6, KEYS = 50, ITEMS = 100;
  const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'report'];
  const TYPE_LEVELS = { error: 'error', metric: 'info', analytics: 'debug' };
  const CONSOLE_LEVELS = { trace: 'trace', debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', assert: 'error' };
  const SAMPLE = { document: { 'page-load': 1, 'api-call': 0.1, click: 0.01, scroll: 0.001 } };
  const VITALS = { LCP: [2500, 4000], INP: [200, 500], CLS: [0.1, 0.25], FCP: [1800, 3000], TTFB: [800, 1800] }; // web.dev/articles/vitals

  // Kept from the start: the page, its test clocks and other recorders may replace them later.
  const { assign, keys, getOwnPropertyDescriptor, defineProperty, getPrototypeOf } = Object, { apply, construct } = Reflect;
  const { WebSocket: NativeSocket, fetch: nativeFetch, performance, setTimeout: setTimer, clearTimeout: clearTimer } = window;
  const navigator = window.navigator || {}, { sendBeacon } = navigator;
  const console = assign({}, window.console), clock = window.Date || Date;
  const later = (run, ms) => setTimer.call(window, () => quietly(run), ms);
  const cancel = (timer) => clearTimer.call(window, timer);
  const now = () => clock.now();
  const tick = () => (performance && performance.now ? performance.now() : now());
  const round = (ms) => Math.round(ms * 1000) / 1000;
  const place = () => window.location || {};
  const has = (object, key) => Object.prototype.hasOwnProperty.call(object, key);

  const settings = {
    url: /\/taillight\.m?js([?#]|$)/.test(SELF || '') ? SELF : '', key: '', app: '', build: '', user: null, session: '', tab: '',
    console: 'warn,error', off: '', maxMessage: 500, maxStack: 2000, maskEmail: true, batchMs: 100, batchEvents: 100,
    sample: null, consent: false, dnt: false, sanitize: null, hot: null,
  };
  const attributes = document.currentScript && document.currentScript.dataset || {};
  for (const name of keys(settings)) if (name in attributes) settings[name] = typeof settings[name] === 'number' ? +attributes[name] || settings[name] : attributes[name];
  const isOn = (setting) => setting === '' || !!setting && !/^(false|off|no)$/.test(setting);
  const names = (list) => String(list || '').toLowerCase().split(/[\s,]+/);

  const counts = { filtered: 0, sampled: 0, dropped: 0, rejected: 0 }, ownErrors = [];
  let running = false, busy = false, enabled = true, granted = false, minLevel = 0, ownSample = {}, sample = {}, shared = null;
  let base = '', pageKey = '', active = {}, hasBegun = false, /** @type {any} */ live = null, me = null, recovering = false;

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
  const folded = new Map();

  /** A key without its case style; the last thousand are remembered. */
  function fold(key) {
    let name = folded.get(key);
    if (name === undefined) {
      if (folded.size >= 1000) folded.clear();
      folded.set(key, name = key.slice(0, 64).toLowerCase().replace(/[^a-z0-9]/g, ''));
    }
    return name;
  }

  function luhn(digits) {
    let sum = 0;
    for (let i = 0; i < digits.length; i++) {
      const digit = +digits[digits.length - 1 - i] * (i % 2 ? 2 : 1);
      sum += digit > 9 ? digit - 9 : digit;
    }
    return sum % 10 === 0;
  }

  /** Takes Bearer and JWT shapes, card numbers, URL user-info, secret query values and e-mail domains out. */
  function scrub(text, keepMail) {
    if (!/[@=]|bearer|eyJ|[2-6]\d{3}/i.test(text)) return text;
    const clean = text
      .replace(/\bbearer\s+[\w.~+/=-]{8,2048}/gi, 'Bearer ' + REDACTED)
      .replace(/\beyJ[\w-]{5,2048}\.[\w-]{5,2048}\.[\w-]{0,2048}/g, REDACTED)
      .replace(/([?&#])([\w.%~-]{1,64})=([^&#\s"'<>]+)/g, (all, mark, key) => (SECRET.has(fold(key)) ? mark + key + '=' + REDACTED : all))
      .replace(/:\/\/[^/\s?#@]{1,256}@/g, '://' + REDACTED + '@')
      .replace(/\b[2-6]\d{3}(?:[ -]?\d){9,15}\b/g, (all) => (luhn(all.replace(/\D/g, '')) ? REDACTED : all));
    return keepMail || !isOn(settings.maskEmail) ? clean : clean.replace(/([\w.+%-])@[a-z][\w-]{0,62}(\.[\w-]{1,63}){0,8}\.[a-z]{2,24}\b/gi, '$1@***');
  }

  // ---- values made plain -------------------------------------------------------------------------------------

  const tagOf = (value) => Object.prototype.toString.call(value).slice(8, -1);
  const isPlain = (value) => Array.isArray(value) || getPrototypeOf(value) === Object.prototype;
  const isError = (value) => !!value && typeof value === 'object' && (value instanceof Error || /^(Error|DOMException)$/.test(tagOf(value)));
  const isNode = (value, tag) => /Element$|^(Text|Comment|HTMLDocument|Document|DocumentFragment|ShadowRoot)$/.test(tag) && typeof value.nodeType === 'number';

  /** The data property `key` of `object`; a getter is not run. */
  function own(object, key) {
    const property = getOwnPropertyDescriptor(object, key);
    return property && 'value' in property ? property.value : property ? '[getter]' : undefined;
  }

  function cut(text, limit) {
    if (text.length <= limit) return text;
    const end = Math.max(0, limit - 1);
    return text.slice(0, /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end) + '…';
  }

  /** @param {Room} room */
  function plainText(text, room, key) {
    const limit = key === 'message' ? +settings.maxMessage : key === 'stack' ? +settings.maxStack : STRING_CHARS;
    const short = cut(scrub(text.slice(0, Math.min(SCAN_CHARS, limit * 2)), key === 'stack'), Math.min(limit, Math.max(room.left, 20)));
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
    if (!/^(Object|Array|Map|Set)$/.test(tag) && keys(value).length === 0) return '[' + tag + ']';
    return undefined;
  }

  /**
   * Copies `value` into JSON data: bounded in depth, width and length, secrets out, no getter run.
   * @param {Room} room @param {number} depth @param {boolean} inContext @param {string} [key] what it is the value of
   */
  function plain(value, room, depth, inContext, key) {
    room.left -= 8;
    if (typeof value === 'string') return plainText(value, room, key);
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'number') return isFinite(value) ? value : String(value);
    if (typeof value === 'bigint') return value + 'n';
    if (typeof value === 'function') return '[function ' + (own(value, 'name') || 'anonymous') + ']';
    if (typeof value !== 'object') return String(value);
    if (room.path.indexOf(value) >= 0) return '[circular]';
    const short = isPlain(value) || isError(value) ? undefined : oneLine(value);
    if (short !== undefined) return plainText(short, room, key);
    if (depth >= DEPTH || room.left <= 0) return Array.isArray(value) ? '[array ' + value.length + ']' : '[object]';
    room.path.push(value);
    const copy = plainObject(value, room, depth + 1, inContext);
    room.path.pop();
    return copy;
  }

  function plainObject(value, room, depth, inContext) {
    if (Array.isArray(value)) return plainList(value, value.length, room, depth, inContext);
    const kind = isPlain(value) ? '' : tagOf(value);
    if (kind === 'Map' || kind === 'Set') return { [kind + '(' + value.size + ')']: plainList(value, value.size, room, depth, inContext) };
    if (kind && isError(value)) return plainObject(errorParts(value), room, depth, inContext);
    const copy = {}, all = keys(value);
    for (const key of all.slice(0, KEYS)) {
      const item = own(value, key), name = fold(key);
      if (item === undefined) continue;
      const isSecret = SECRET.has(name) || inContext && (name === 'phone' || name === 'address');
      room.left -= key.length;
      copy[cut(key, 200)] = isSecret && item !== null ? REDACTED
        : name === 'email' && isOn(settings.maskEmail) && typeof item === 'string' ? cut(item.replace(/@.+/, '@***'), 200)
          : plain(item, room, depth, inContext || name === 'context', key);
    }
    if (all.length > KEYS) copy['…'] = all.length - KEYS + ' more keys';
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

  const plainEvent = (value, limit) => plainObject(value, { left: limit, path: [] }, 0, false);

  function errorParts(error) {
    return { name: String(error.name), message: String(error.message), stack: typeof error.stack === 'string' ? error.stack : undefined, code: own(error, 'code') };
  }

  /** What is known of a thrown value: name, message, stack, and where they exist causes (5) and errors (10). */
  function thrown(value) {
    if (!isError(value)) return { message: text(value), value: typeof value === 'object' ? value : undefined };
    const parts = errorParts(value), causes = [], seen = [value];
    const brief = (error) => (isError(error) ? errorParts(error) : { message: text(error) });
    for (let cause = value.cause; cause !== undefined && cause !== null && causes.length < 5 && seen.indexOf(cause) < 0; cause = isError(cause) ? cause.cause : undefined) {
      seen.push(cause);
      causes.push(brief(cause));
    }
    if (causes.length) parts.causes = causes;
    if (Array.isArray(value.errors)) parts.errors = value.errors.slice(0, 10).map(brief);
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
    const line = args[0].slice(0, SCAN_CHARS).replace(/%[sdifoOc%]/g, (directive) => {
      if (directive === '%%') return '%';
      if (next >= args.length) return directive;
      const value = args[next++];
      if (directive === '%c') return '';
      if (directive === '%f') return String(parseFloat(text(value)));
      return /[di]/.test(directive) ? String(parseInt(text(value), 10)) : text(value);
    });
    return [line].concat(args.slice(next).map(text)).join(' ');
  }

  // ---- who this is -------------------------------------------------------------------------------------------

  function randomHex(size) {
    const bytes = new Uint8Array(size);
    if (window.crypto && window.crypto.getRandomValues) window.crypto.getRandomValues(bytes);
    else for (let i = 0; i < size; i++) bytes[i] = Math.random() * 256;
    return Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
  }

  /** A value that lives as long as the tab; `make` gets the one before. Where storage is blocked it lives with the page. */
  function remembered(key, make) {
    const area = quietly(() => window.sessionStorage), value = String(make(quietly(() => area.getItem(key))));
    quietly(() => area.setItem(key, value));
    return value;
  }

  const pageUrl = () => cut(scrub(String(place().href || '')), 2000);

  /** What hello and beacons say of this document. */
  function introduction() {
    return {
      client: randomHex(16),
      session: settings.session || remembered('taillight.session', (before) => before || randomHex(8)),
      user: settings.user, tab: settings.tab || remembered('taillight.tab', (before) => before || randomHex(6)),
      load: +remembered('taillight.load', (before) => (+before || 0) + !(before && window.parent && window.parent !== window)), // a frame is of its page's load
      app: settings.app || undefined, build: settings.build || undefined, page: pageUrl(),
    };
  }

  function byteLength(string) {
    let length = string.length;
    for (let i = 0; i < string.length; i++) {
      const code = string.charCodeAt(i);
      if (code > 0x7f) length += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
    }
    return length;
  }

  // ---- one client's numbers, buffer, connection and offline store --------------------------------------------------

  /**
   * The channel of one client: this document (no `done`), or a document before it that left `queue` behind; `done`
   * hears whether all of that was taken. Every number from acked + 1 to last is in exactly one entry, in order.
   * @param {Entry[]} queue
   */
  function channel(who, queue, done) {
    let last = 0, acked = 0, events = 0, bytes = 0, waiting = [0, 0, 0], flushTimer = 0, saveTimer = 0, saves = 0, keptTo = 0, chunks = [];
    let socket = null, ready = false, since = 0, tries = 0, ever = false, timer = 0, holdUntil = 0, maxBytes = 65536;
    let /** @type {{to: number, urgent: boolean}[]} */ inFlight = [], answering = 0;

    if (queue.length) {
      acked = queue[0].seq - 1;
      last = queue[queue.length - 1].to;
      resend();
    }

    const fullBatch = () => waiting[0] + waiting[1] + waiting[2] >= settings.batchEvents;

    function add(json, rank) {
      const entry = { seq: ++last, to: last, json, bytes: byteLength(json), rank };
      queue.push(entry);
      events++;
      bytes += entry.bytes;
      waiting[rank]++;
      evict();
      if (!ready) saveLater();
      else if (rank > 1) sendUrgent(entry);
      else if (fullBatch()) pump();
      else flushLater(settings.batchMs);
    }

    /** Full: the oldest unsent event of the lowest rank becomes a gap, and gaps side by side become one. */
    function evict() {
      while (events > BUFFER_EVENTS || bytes > BUFFER_BYTES) {
        const rank = waiting.findIndex((count) => count > 0);
        const at = queue.findIndex((entry) => !entry.sent && entry.json && entry.rank === rank);
        if (at < 0) return;
        release(queue[at]);
        counts.dropped++;
        assign(queue[at], { json: '', bytes: 0 });
        for (const before of [at, at - 1]) {
          const a = queue[before], b = queue[before + 1];
          if (a && b && !a.json && !b.json && !a.sent && !b.sent) {
            a.to = b.to;
            queue.splice(before + 1, 1);
          }
        }
      }
    }

    function release(entry) {
      if (!entry.json) return;
      events--;
      bytes -= entry.bytes;
      if (!entry.sent) waiting[entry.rank]--;
    }

    /** Everything up to `seq` has been taken by the server and leaves the buffer and the store. */
    function settle(seq) {
      acked = Math.max(acked, Math.min(seq, last) || 0);
      let taken = 0;
      while (taken < queue.length && queue[taken].to <= acked) release(queue[taken++]);
      queue.splice(0, taken);
      inFlight = inFlight.filter((frame) => frame.to > acked);
      if (inFlight.length) awaitAck();
      else if (ready) cancel(timer);
      while (chunks.length && chunks[0].to <= acked) forget(chunks.shift().key);
    }

    function connect() {
      close();
      if (!NativeSocket || !running || !quietly(address)) return;
      let mySocket;
      try {
        mySocket = new NativeSocket(base.replace(/^http/, 'ws') + 'v1/ws', pageKey ? ['taillight.v1', 'k.' + pageKey] : ['taillight.v1']);
      } catch (error) {
        note(error);
        return lost();
      }
      socket = mySocket;
      const mine = (work) => (event) => { if (socket === mySocket) quietly(work, null, [event]); };
      if (!done) assign(who, { user: settings.user, page: pageUrl() });
      mySocket.onopen = mine(() => send(assign({ t: 'hello', v: 1 }, who, { now: now(), next: acked + 1 })));
      mySocket.onmessage = mine((event) => {
        const message = JSON.parse(event.data);
        if (message && has(receivers, message.t)) receivers[message.t](message);
      });
      mySocket.onclose = mine(lost);
      timer = later(mine(() => { mySocket.close(); lost(); }), WELCOME_MS);
    }

    /** The connection ended: what was sent and not acked waits again, and the next try comes later each time. */
    function lost() {
      cancel(timer);
      socket = null;
      ready = false;
      resend();
      if (done) return done(false);
      if (!running) return;
      if (queue.length) saveLater();
      if (since && now() - since > STABLE_MS) tries = 0;
      since = 0;
      const probes = ++tries - (ever ? 40 : 3);
      timer = later(connect, probes < 0 ? Math.random() * Math.min(RETRY_MAX_MS, RETRY_MS * Math.pow(2, tries - 1))
        : (0.5 + Math.random() / 2) * Math.min(PROBE_MAX_MS, PROBE_MS * Math.pow(2, probes)));
      if (!ever && !probes) explain();
    }

    /** Everything that is not acked waits again. */
    function resend() {
      inFlight = [];
      waiting = [0, 0, 0];
      events = bytes = 0;
      for (const entry of queue) {
        entry.sent = entry.beaconed = false;
        if (!entry.json) continue;
        waiting[entry.rank]++;
        events++;
        bytes += entry.bytes;
      }
    }

    /** A connection that a sleeping machine left half open says nothing, and never ends by itself. */
    function awaitAck() {
      cancel(timer);
      timer = later(() => { close(); lost(); }, ACK_MS);
    }

    const send = (message) => socket.send(JSON.stringify(message));

    function flushLater(ms) {
      if (!flushTimer) flushTimer = later(() => { flushTimer = 0; pump(); }, ms);
    }

    /** @param {'batch'|'urgent'} t @param {Entry[]} run entries with consecutive numbers */
    function post(t, run) {
      socket.send('{"t":"' + t + '","seq":' + run[0].seq + ',"events":[' + run.map((entry) => entry.json).join(',') + ']}');
      if (!inFlight.length) awaitAck();
      inFlight.push({ to: run[run.length - 1].seq, urgent: t === 'urgent' });
      for (const entry of run) {
        entry.sent = true;
        waiting[entry.rank]--;
      }
    }

    /** The events from `at` on that may share a frame of `limit` bytes: one at least. */
    function runAt(at, limit, isFit) {
      let end = at, size = 0;
      while (end < queue.length && end - at < settings.batchEvents && queue[end].json && isFit(queue[end]) && (end === at || size + queue[end].bytes < limit)) size += queue[end++].bytes + 1;
      return queue.slice(at, end);
    }

    /** Sends what waits, oldest first. @param {boolean} [leaving] the page goes away: no limit on what is in flight */
    function pump(leaving) {
      if (!ready) return;
      const hold = holdUntil - now();
      if (hold > 0 && !leaving) return flushLater(hold);
      for (let at = 0; at < queue.length; at++) {
        const entry = queue[at];
        if (entry.sent) continue;
        if (!entry.json) {
          const from = Math.max(entry.seq, acked + 1);
          send({ t: 'gap', from, to: entry.to, count: entry.to - from + 1, reason: 'buffer-full' });
          entry.sent = true;
          continue;
        }
        if (inFlight.length >= IN_FLIGHT && !leaving) return;
        const run = runAt(at, maxBytes - 64, (other) => !other.sent);
        post('batch', run);
        at += run.length - 1;
      }
    }

    function sendUrgent(entry) {
      const urgent = inFlight.filter((frame) => frame.urgent).length;
      if (entry.json && now() >= holdUntil && urgent < IN_FLIGHT / 2 && inFlight.length < IN_FLIGHT && entry.seq - acked <= WINDOW) post('urgent', [entry]);
      else pump();
    }

    function goOn(isNow) {
      if (done && !queue.length) {
        close();
        done(true);
      } else if (isNow) pump();
    }

    const receivers = {
      welcome(message) {
        cancel(timer);
        settle(message.acked);
        receivers.config(message);
        if (message['max-bytes'] > 1024) maxBytes = message['max-bytes'];
        ready = ever = true;
        since = now();
        holdUntil = 0;
        goOn(true);
        if (!done) recover();
      },
      ack(message) {
        settle(message.seq);
        goOn(!flushTimer || fullBatch());
      },
      nack(message) {
        counts.rejected += Array.isArray(message.rejected) ? message.rejected.length : 0;
      },
      throttle(message) {
        holdUntil = now() + Math.min(Math.max(+message.ms || 0, 0), 60000);
        cancel(timer);
        resend(); // what was refused for now comes again; what was taken after all is known by its number
        flushLater(holdUntil - now());
      },
      config(message) {
        if (message.sample && typeof message.sample === 'object') sample = message.sample;
        if (LEVELS.includes(message['min-level'])) minLevel = LEVELS.indexOf(message['min-level']);
        if (typeof message.enabled === 'boolean') enabled = message.enabled;
      },
      error(message) {
        note('server: ' + message.code + ' ' + message.message);
      },
      /** One question at a time, answered from the fixed list or by what the app registered under that name. */
      request({ id, kind }) {
        const mySocket = socket;
        const reply = (data) => mySocket.send(JSON.stringify({ t: 'reply', id, data: plainEvent({ data }, ANSWER_CHARS).data }));
        if (answering || !has(answers, kind)) return reply({ error: answering ? 'busy' : 'unknown kind' });
        if (console.debug) console.debug('taillight: the console at ' + base + ' asked this page for "' + kind + '"');
        const timeout = answering = later(() => finish({ error: 'no answer in 10 s' }), ANSWER_MS);
        const finish = (data) => {
          if (answering !== timeout) return;
          answering = 0;
          cancel(timeout);
          quietly(reply, null, [data]);
        };
        try {
          const data = answers[kind]();
          if (data && typeof data.then === 'function') data.then(finish, (error) => finish({ error: text(error) }));
          else finish(data);
        } catch (error) {
          finish({ error: text(error) });
        }
      },
    };

    /** What is not acked goes once more as beacons, under the same numbers, so that the server drops what it has. */
    function beacon() {
      if (!sendBeacon || !base) return;
      let room = BEACON_BYTES;
      for (const rank of bytes > room ? [2, 0] : [0]) {
        for (let at = 0; at < queue.length; at++) {
          const isFit = (entry) => !entry.beaconed && entry.rank >= rank;
          if (!queue[at].json || !isFit(queue[at])) continue;
          const head = JSON.stringify(assign({ t: 'batch' }, who, { seq: queue[at].seq })).slice(0, -1) + ',"events":[';
          const space = room - byteLength(head) - 2, run = runAt(at, space, isFit);
          if (space < run[0].bytes) break;
          const body = head + run.map((entry) => entry.json).join(',') + ']}';
          if (!sendBeacon.call(navigator, base + 'v1/events' + (pageKey ? '?k=' + pageKey : ''), body)) return;
          room -= byteLength(body);
          at += run.length - 1;
          for (const entry of run) entry.beaconed = true;
        }
      }
    }

    function saveLater() {
      if (!saveTimer && !done) saveTimer = later(() => { saveTimer = 0; if (!ready) save(false); }, SAVE_MS);
    }

    /**
     * Appends what is not acked and not stored yet to the store, for the next document of this origin.
     * @param {boolean} isGone this document ends; a number that found no room becomes a gap
     */
    function save(isGone) {
      const area = storage(), fresh = queue.filter((entry) => entry.to > keptTo);
      if (!area || !queue.length || !fresh.length && !(isGone && chunks.length)) return;
      let room = STORE_CHARS - stored(area).reduce((sum, key) => sum + area.getItem(key).length, 0);
      const best = fresh.filter((entry) => entry.json).sort((a, b) => b.rank - a.rank || b.seq - a.seq);
      const kept = best.filter((entry) => (room -= entry.json.length + 20) > 0).map((entry) => '[' + entry.seq + ',' + entry.rank + ',' + entry.json + ']');
      const key = STORE + who.client + '.' + ++saves, head = JSON.stringify({ who, at: now(), isGone, from: acked + 1, last }).slice(0, -1) + ',"events":[';
      // The rest of the area is the app's: where it leaves less room, half as many are tried until they fit.
      const isStored = (count) => quietly(() => area.setItem(key, head + kept.slice(0, count).join(',') + ']}') || true);
      let count = kept.length;
      while (!isStored(count)) {
        if (!count) return;
        count >>= 1;
      }
      keptTo = last;
      chunks.push({ key, to: last });
    }

    function close() {
      cancel(timer);
      if (socket) socket.close();
      socket = null;
      ready = false;
    }

    return {
      add, pump, connect, close,
      /** The page is hidden, or with `isGone` ends. */
      leave(isGone) {
        pump(isGone);
        beacon();
        if (isGone || !ready) save(isGone);
      },
      /** The page is there again. */
      wake(isNew) {
        for (const entry of queue) entry.beaconed = false;
        if (isNew) resend();
        if (isNew || !socket) connect();
      },
      /** Forgets what was not sent, here and in the store. */
      drop() {
        close();
        counts.dropped += events;
        settle(last);
      },
      figures: () => ({ recorded: last, acked, buffered: events }),
    };
  }

  function address() {
    const url = new window.URL(String(settings.url).replace(/^ws/, 'http'), document.baseURI || undefined);
    const key = settings.key || url.searchParams.get('k') || '';
    base = new window.URL('.', url).href;
    pageKey = /^[A-Za-z0-9]{1,64}$/.test(key) ? key : '';
    return /^http/.test(base);
  }

  /** Our own addresses, not the whole origin: behind a dev server's proxy that is the app's origin too. */
  function isOwn(address) {
    const url = String(address).replace(/^ws/, 'http');
    return !!base && url.startsWith(base) && /^(v1\/|taillight\.)/.test(url.slice(base.length));
  }

  /** Says why nothing can be sent, if taillight runs; where it does not, the page's console stays as it is. */
  function explain() {
    const { origin } = place();
    if (nativeFetch) nativeFetch.call(window, base + 'taillight.js', { mode: 'no-cors', cache: 'no-store' }).then(() => console.warn('taillight: ' + base + ' refuses ' + origin +
      '. Start it with --allow-origin ' + origin + ', or use the script tag with ?k= that it prints.')).catch(note);
  }

  // ---- the store: what documents that ended left for the next one of their origin ------------------------------------

  const storage = () => quietly(() => window.localStorage);
  const stored = (area) => keys(area).filter((key) => key.startsWith(STORE));
  const forget = (key) => quietly(() => window.localStorage.removeItem(key));

  /** Sends what one document before this left, over a connection of its own under its own numbers; then the next. */
  function recover() {
    const area = storage(), left = new Map();
    if (recovering || !area) return;
    for (const key of stored(area)) {
      const chunk = quietly(() => JSON.parse(area.getItem(key)));
      if (!chunk || !chunk.who || !Array.isArray(chunk.events)) forget(key);
      else if (chunk.who.client !== me.client) left.set(chunk.who.client, (left.get(chunk.who.client) || []).concat(assign(chunk, { key })));
    }
    const chunks = Array.from(left.values()).find((all) => all.some((chunk) => chunk.isGone || now() - chunk.at > STALE_MS));
    const queue = chunks && quietly(entriesOf, null, [chunks]);
    if (queue) {
      recovering = true;
      channel(chunks[0].who, queue, (isTaken) => {
        recovering = false;
        if (!isTaken) return;
        for (const chunk of chunks) forget(chunk.key);
        recover();
      }).connect();
    } else if (chunks) for (const chunk of chunks) forget(chunk.key);
  }

  /** @returns {Entry[]} the events of the chunks of one client; a number that is in none of them is in a gap */
  function entriesOf(chunks) {
    const queue = [], last = Math.max(...chunks.map((chunk) => chunk.last));
    let next = Math.min(...chunks.map((chunk) => chunk.from));
    const gapTo = (to) => to >= next && queue.push({ seq: next, to, json: '', bytes: 0, rank: 0 });
    for (const [seq, rank, event] of [].concat(...chunks.map((chunk) => chunk.events)).sort((a, b) => a[0] - b[0])) {
      if (!(seq >= next && seq <= last)) continue;
      gapTo(seq - 1);
      const json = JSON.stringify(event);
      queue.push({ seq, to: seq, json, bytes: byteLength(json), rank: rank > 1 ? 2 : +!!rank });
      next = seq + 1;
    }
    gapTo(last);
    return queue.length ? queue : undefined;
  }

  // ---- recording -----------------------------------------------------------------------------------------------

  /** The place of an event's level in LEVELS, found as the server finds it. */
  function levelOf(event) {
    if (event.type in TYPE_LEVELS) return LEVELS.indexOf(TYPE_LEVELS[event.type]);
    const level = LEVELS.indexOf(event.level === 'warning' ? 'warn' : event.level);
    return level < 0 ? 2 : level;
  }

  /** The share of such events that is kept: the server's word, then the page's own. */
  function rateOf(event) {
    for (const rates of [sample, ownSample]) {
      for (const name of [event.action, event.subtype, event.type]) if (has(rates, name) && typeof rates[name] === 'number') return rates[name];
    }
    return 1;
  }

  /** Takes one event. Its number is given here, after sampling, so that the numbers have no holes. */
  function record(event) {
    if (!running || !enabled) return;
    const level = levelOf(event), isUrgent = level === 4 || level === 5 || event.severity === 'high' || event.severity === 'critical';
    const rate = isUrgent ? 1 : rateOf(event);
    if (level < minLevel) return void counts.filtered++;
    if (Math.random() >= rate) return void counts.sampled++;
    const known = { timestamp: now(), 'session-id': me.session, page: place().pathname, app: me.app, build: me.build };
    if (settings.user !== null) known['user-id'] = settings.user;
    if (rate < 1) known.sampled = rate;
    event = assign(known, event);
    if (shared) event.context = assign({}, shared, event.context);
    event = plainEvent(event, EVENT_CHARS);
    if (typeof settings.sanitize === 'function') event = sanitized(event);
    if (event) live.add(JSON.stringify(event), isUrgent ? 2 : level >= 2 ? 1 : 0);
    else counts.filtered++;
  }

  /** What the app's own rule leaves of an event: nothing where it says null or fails. */
  function sanitized(event) {
    const result = quietly(settings.sanitize, null, [event]);
    return result && typeof result === 'object' ? plainEvent(result, EVENT_CHARS) : undefined;
  }

  const bursts = new Map();
  let burstTimer = 0;

  /** Records the error that `key` names; from the sixth in a second on equal ones are counted, and told once a second. */
  function fault(key, make) {
    let burst = bursts.get(key);
    if (!burst) {
      if (bursts.size >= BURSTS) return record(make());
      bursts.set(key, burst = { seen: 0, count: 0 });
      burstTimer = burstTimer || later(tellBursts, BURST_MS);
    }
    if (++burst.seen <= BURST) return record(burst.event = make());
    if (!burst.count++) burst.first = now();
    burst.last = now();
  }

  function tellBursts() {
    for (const [key, { event, count, first, last }] of bursts) {
      if (count) record(assign({}, event, { count, first, timestamp: last }));
      if (count) bursts.set(key, { seen: BURST, count: 0, event });
      else bursts.delete(key);
    }
    cancel(burstTimer);
    burstTimer = bursts.size ? later(tellBursts, BURST_MS) : 0;
  }

  // ---- what the server may ask; `taillight.answer` adds to it -----------------------------------------------------------

  const pick = (object, names) => object && names.reduce((picked, name) => assign(picked, { [name]: object[name] }), {});
  const storedKeys = (area) => quietly(() => keys(window[area]).filter((key) => !key.startsWith(STORE)).slice(0, ITEMS)) || [];
  const entries = (type) => quietly(() => performance.getEntriesByType(type)) || [];

  const answers = {
    ping: () => ({ now: now() }),
    flush() {
      flush();
      return { buffered: live.figures().buffered };
    },
    diagnostics: () => assign(live.figures(), counts, {
      url: pageUrl(), title: document.title, viewport: { width: window.innerWidth, height: window.innerHeight }, language: navigator.language,
      'user-agent': navigator.userAgent, memory: pick(performance && performance.memory, ['usedJSHeapSize', 'totalJSHeapSize', 'jsHeapSizeLimit']),
      connection: pick(navigator.connection, ['effectiveType', 'rtt', 'downlink', 'saveData']),
      storage: { local: storedKeys('localStorage'), session: storedKeys('sessionStorage') }, errors: ownErrors,
    }),
  };

  // ---- recorders: each looks whether it can work here, and returns its undo or several ------------------------------------

  function listen(target, type, work, options) {
    if (!target || !target.addEventListener) return undefined;
    const hooked = hook(work);
    target.addEventListener(type, hooked, options);
    return () => target.removeEventListener(type, hooked, options);
  }

  /** Puts `around(original, self, args)` in place of a function, or of a constructor; a Proxy keeps its name, length and text. */
  function replace(owner, name, around, isClass) {
    while (owner && !has(owner, name)) owner = getPrototypeOf(owner);
    const before = owner && getOwnPropertyDescriptor(owner, name), original = before && before.value;
    if (typeof original !== 'function') return undefined;
    let alive = true;
    const wrapper = new Proxy(original, isClass ? {
      construct: (target, args, made) => (alive && !busy ? around(target, made, args) : construct(target, args, made)),
    } : {
      apply: (target, self, args) => (alive && !busy ? around(target, self, args) : apply(target, self, args)),
    });
    defineProperty(owner, name, assign({}, before, { value: wrapper }));
    return () => {
      alive = false;
      if (owner[name] === wrapper) defineProperty(owner, name, before);
    };
  }

  /** Calls `work` with each performance entry of a type, those before now included; `undo.drain` takes what waits. */
  function observe(type, work, options) {
    const Observer = window.PerformanceObserver;
    if (!Observer || !(Observer.supportedEntryTypes || []).includes(type)) return undefined;
    const each = (list) => list.forEach((entry) => quietly(work, null, [entry]));
    const observer = new Observer((list) => each(list.getEntries()));
    observer.observe(assign({ type, buffered: !hasBegun }, options));
    return assign(() => observer.disconnect(), { drain: () => each(observer.takeRecords()) });
  }

  // Errors.

  const watchErrors = () => [listen(window, 'error', (event) => {
    const { target, error, filename, lineno, colno } = event;
    if (target && target !== window && target.nodeType === 1) return resourceFailed(target);
    fault([event.message, filename, lineno, colno].join('|'), () => {
      const known = error === undefined || error === null ? {} : thrown(error);
      const message = isError(error) ? known.message || known.name : String(event.message || known.message);
      return assign({ type: 'error', subtype: 'javascript' }, known, { message,
        location: { url: filename || undefined, line: lineno || undefined, column: colno || undefined },
        hint: message === 'Script error.' ? 'the script is from another origin: add crossorigin to its tag' : undefined,
        'user-agent': navigator.userAgent, severity: 'high' });
    });
  }, true), listen(window, 'unhandledrejection', ({ reason }) => fault('promise|' + brief(reason), () =>
    assign({ type: 'error', subtype: 'promise' }, thrown(reason), { severity: 'high' })))];

  /** Enough of a value to tell equal errors, at little cost. */
  const brief = (value) => (isError(value) ? value.name + value.message : typeof value === 'object' ? '{}' : String(value)).slice(0, 200);

  function resourceFailed(element) {
    const tag = element.nodeName.toLowerCase(), url = element.currentSrc || element.src || element.href || element.data;
    if (!/^(img|script|link|source|video|audio|iframe|track|embed|object)$/.test(tag) || typeof url !== 'string' || !url || isOwn(url)) return;
    fault('resource|' + url, () => ({ type: 'error', subtype: 'resource', message: 'Failed to load ' + tag + ' ' + url, url, element: selector(element), severity: 'medium' }));
  }

  let isPolicyTold = false;

  const watchPolicy = () => listen(document, 'securitypolicyviolation', (event) => {
    const url = event.blockedURI, directive = event.effectiveDirective, isReport = event.disposition === 'report';
    if (isOwn(url)) {
      if (!isReport && !isPolicyTold) console.warn('taillight: the Content-Security-Policy of this page keeps its events here. Add ' + base + ' and ' + base.replace(/^http/, 'ws') + ' to its connect-src.');
      isPolicyTold = true;
      return;
    }
    fault('csp|' + directive + url, () => ({ type: isReport ? 'log' : 'error', level: isReport ? 'warn' : undefined, subtype: 'csp', directive, url,
      message: directive + (isReport ? ' would block ' : ' blocked ') + url, location: { url: event.sourceFile || undefined, line: event.lineNumber || undefined, column: event.columnNumber || undefined }, severity: 'medium' }));
  });

  function watchConsole() {
    const wanted = names(settings.console);
    return keys(CONSOLE_LEVELS).filter((name) => wanted.includes(name === 'assert' ? 'error' : name) || wanted.includes('all')).map((name) =>
      replace(window.console, name, (original, self, args) => {
        const result = apply(original, self, args);
        if (name !== 'assert' || !args[0]) quietly(consoleLine, null, [name, name === 'assert' ? ['Assertion failed:'].concat(args.slice(1)) : args]);
        return result;
      }));
  }

  function consoleLine(name, args) {
    const level = CONSOLE_LEVELS[name], isFault = level === 'error' || level === 'warn';
    const make = () => {
      const error = args.find(isError), known = error ? thrown(error) : name === 'trace' ? { stack: ownStack(new Error('Trace')) } : {};
      return assign({ type: level === 'error' ? 'error' : 'log', subtype: 'console', level }, known, {
        message: format(args), args: args.length > 1 || typeof args[0] !== 'string' ? args : undefined, severity: level === 'error' ? 'medium' : 'low' });
    };
    if (isFault) fault('console|' + name + args.slice(0, 9).map(brief), make);
    else record(make());
  }

  /** The stack of an error made here, without the lines of this file. */
  function ownStack(error, head) {
    const file = SELF ? SELF.split('?')[0] : '\n';
    return [head || 'Trace'].concat(String(error.stack || '').split('\n').slice(/^Error/.test(error.stack) ? 1 : 0).filter((line) => line && !line.includes(file))).join('\n');
  }

  // Requests. A body is never read: sizes and the end of the body come from resource timing.

  /** @type {any[]} Answered, and waiting for their resource entry. */
  let open = [];

  const absolute = (url) => {
    try {
      return new window.URL(url, document.baseURI || place().href).href;
    } catch (error) {
      return url;
    }
  };

  /** The address that a page hands over, '' where only reading it twice would tell. */
  function addressOf(input) {
    const address = typeof input === 'string' ? input : /^(URL|Request|Location)$/.test(tagOf(input)) ? input.url || input.href : '';
    return address && absolute(address);
  }

  /** What is known of a request before it is sent; undefined for our own. */
  function callOf(input, method, body) {
    const url = addressOf(input);
    return isOwn(url) ? undefined : { url, method: String(method || 'GET').toUpperCase(), start: tick(), stack: new Error(), operation: operationOf(body), signal: null };
  }

  /** The operation that a GraphQL body names; nothing else of it is looked at. */
  function operationOf(body) {
    if (typeof body !== 'string' || body.length > 200000 || !/^\s*[[{]/.test(body)) return undefined;
    const query = /"query"\s*:\s*"[^{"]{0,200}?\b(query|mutation|subscription)\s+(\w{1,100})/.exec(body);
    const name = /"operationName"\s*:\s*"(\w{1,100})"/.exec(body);
    return query || name && /"query"\s*:|"persistedQuery"/.test(body) ? (query ? query[1] + ' ' : '') + (name ? name[1] : query[2]) : undefined;
  }

  const callEvent = (type, subtype, call) => ({ type, subtype, url: call.url, method: call.method, operation: call.operation, 'duration-ms': round((call.headers || tick()) - call.start) });

  function answered(call, status, isOpaque) {
    const event = callEvent('metric', isOpaque ? 'no-cors' : 'api-call', call);
    event.timestamp = now();
    if (status) event.status = status;
    if (isOpaque) event.message = event.method + ' ' + event.url + ' answered, but the page may not see how';
    if (call.end) event['total-ms'] = round(call.end - call.start);
    call.event = event;
    const entry = performance && performance.getEntriesByName && performance.getEntriesByName(call.url, 'resource').reverse().find((one) => isOf(one, call));
    if (entry || !canTime() || open.length > 200) return complete(call, entry);
    open.push(call);
    call.timer = later(() => complete(call), BODY_MS);
  }

  const canTime = () => !!window.PerformanceObserver && names(settings.off).indexOf('timing') < 0;
  const isOf = (entry, call) => entry.name === call.url.split('#')[0] && entry.startTime >= call.start - 1 && !(entry.startTime > call.start + 1000);

  function complete(call, entry) {
    cancel(call.timer);
    open = open.filter((one) => one !== call);
    if (entry) {
      const { transferSize, decodedBodySize, encodedBodySize } = entry;
      assign(call.event, { 'total-ms': Math.max(round(entry.responseEnd - call.start), call.event['duration-ms']), protocol: entry.nextHopProtocol || undefined });
      if (encodedBodySize || transferSize) assign(call.event, { size: decodedBodySize, 'transfer-size': transferSize, cached: !transferSize });
      if (entry.requestStart > 0) call.event.timing = phases(entry);
    }
    record(call.event);
  }

  const watchTiming = () => observe('resource', (entry) => {
    const call = open.find((one) => isOf(entry, one));
    if (call) complete(call, entry);
  }, { buffered: false });

  function phases(entry) {
    const span = (from, to) => Math.round(Math.max(0, to - from) * 10) / 10;
    return {
      'dns-lookup': span(entry.domainLookupStart, entry.domainLookupEnd),
      'tcp-connect': span(entry.connectStart, entry.secureConnectionStart || entry.connectEnd),
      'tls-handshake': entry.secureConnectionStart ? span(entry.secureConnectionStart, entry.connectEnd) : 0,
      waiting: span(entry.requestStart, entry.responseStart),
      'server-response': span(entry.requestStart, entry.responseEnd),
    };
  }

  /** @param {any} error what the page got; an abort is no error */
  function failed(call, error) {
    const { signal } = call, name = error && error.name;
    if (name === 'AbortError' || signal && signal.aborted && signal.reason === error && name !== 'TimeoutError') return record(assign(callEvent('metric', 'api-call', call), { aborted: true }));
    fault('network|' + call.method + call.url + name, () => {
      const known = thrown(error);
      return assign(callEvent('error', 'network', call), { name: known.name, message: known.message, stack: ownStack(call.stack, text(error)), severity: 'medium' });
    });
  }

  const watchFetch = () => replace(window, 'fetch', (original, self, args) => {
    const call = quietly(fetchCall, null, args), promise = apply(original, self, args);
    if (!call || !promise || typeof promise.then !== 'function') return promise;
    // A branch beside the page's own would mark its rejection as handled; handing the value through does not.
    return promise.then((response) => {
      quietly(() => {
        call.url = call.url || response.url;
        if (!isOwn(call.url)) answered(call, response.status, /^opaque/.test(response.type));
      });
      return response;
    }, (error) => {
      quietly(failed, null, [call, error]);
      throw error;
    });
  });

  function fetchCall(input, init) {
    const request = tagOf(input) === 'Request' ? input : {}, given = (name) => init && own(init, name);
    const call = callOf(input, given('method') || request.method, given('body'));
    if (call) call.signal = given('signal') || request.signal;
    return call;
  }

  function watchXhr() {
    const proto = window.XMLHttpRequest && window.XMLHttpRequest.prototype, calls = new WeakMap();
    return [replace(proto, 'open', (original, self, args) => {
      const result = apply(original, self, args);
      quietly(() => calls.set(self, { method: args[0], url: args[1], isSync: args[2] === false }));
      return result;
    }), replace(proto, 'send', (original, self, args) => {
      const opened = calls.get(self), call = opened && quietly(sendCall, self, [opened, args[0], calls]);
      try {
        return apply(original, self, args);
      } catch (error) {
        if (call && opened.isSync) quietly(failed, null, [call, error]);
        throw error;
      }
    })];
  }

  function sendCall(opened, body, calls) {
    const xhr = this, call = callOf(opened.url, opened.method, body);
    if (!call) return undefined;
    let how = '';
    const on = (type, work) => listen(xhr, type, () => { if (calls.get(xhr) === opened) work(); });
    on('readystatechange', () => { if (xhr.readyState === 2) call.headers = tick(); });
    for (const type of ['abort', 'error', 'timeout']) on(type, () => { how = type; });
    on('loadend', () => {
      calls.delete(xhr);
      call.url = call.url || xhr.responseURL;
      call.end = tick();
      if (!how) return answered(call, xhr.status);
      call.headers = 0;
      failed(call, how === 'abort' ? { name: 'AbortError' } : new window.DOMException('XMLHttpRequest ' + (how === 'error' ? 'failed' : 'timed out'), how === 'error' ? 'NetworkError' : 'TimeoutError'));
    });
    return call;
  }

  const watchBeacons = () => replace(navigator, 'sendBeacon', (original, self, args) => {
    const isTaken = apply(original, self, args);
    quietly(() => {
      const url = addressOf(args[0]), data = args[1], size = typeof data === 'string' ? byteLength(data) : data && (data.size || data.byteLength);
      if (!isOwn(url)) record({ type: isTaken ? 'metric' : 'error', subtype: isTaken ? 'beacon' : 'network', url, size, message: 'sendBeacon ' + url + (isTaken ? '' : ' was refused by the browser'), severity: isTaken ? undefined : 'medium' });
    });
    return isTaken;
  });

  function watchSockets() {
    const proto = NativeSocket && NativeSocket.prototype, before = proto && getOwnPropertyDescriptor(proto, 'constructor');
    const undone = replace(window, 'WebSocket', (original, made, args) => {
      const socket = construct(original, args, made);
      quietly(watchSocket, null, [socket, args]);
      return socket;
    }, true);
    if (!undone) return undefined;
    defineProperty(proto, 'constructor', assign({}, before, { value: window.WebSocket }));
    return [undone, () => defineProperty(proto, 'constructor', before)];
  }

  function watchSocket(socket, [, protocols]) {
    const start = tick(), { url } = socket;
    let opened = 0;
    if (isOwn(url)) return;
    const say = (level, action, more) => record(assign({ type: 'log', subtype: 'websocket', level, action, url, 'duration-ms': round(tick() - (opened || start)), message: 'WebSocket ' + action + ' ' + url }, more));
    listen(socket, 'open', () => { say('info', 'open'); opened = tick(); });
    listen(socket, 'close', ({ code, reason, wasClean }) => (opened ? say(wasClean ? 'info' : 'warn', 'close', { code, reason, clean: wasClean })
      : fault('websocket|' + url, () => ({ type: 'error', subtype: 'network', url, code, message: 'WebSocket failed to connect to ' + url, severity: 'medium' }))));
    if (String(protocols) === 'vite-hmr') listen(socket, 'message', ({ data }) => {
      const message = typeof data === 'string' && data.length < 100000 && /"type":\s*"(update|full-reload)"/.test(data) && JSON.parse(data);
      if (message && !settings.hot) hotUpdate('vite', message.updates ? message.updates.map((update) => update.path) : ['full reload']);
    });
  }

  // Page load, web vitals, long tasks.

  let isLoadTold = false;

  function watchLoad() {
    let tries = 0, timer = 0;
    const look = () => {
      const entry = entries('navigation').find((navigation) => navigation.loadEventEnd > 0);
      if (entry) pageLoaded(entry);
      else if (!isLoadTold && tries++ < 50) timer = later(look, 100);
    };
    const soon = () => { timer = later(look, 0); };
    if (document.readyState === 'complete') soon();
    return [listen(window, 'load', soon), () => cancel(timer)];
  }

  function pageLoaded(entry) {
    if (isLoadTold) return;
    isLoadTold = true;
    const resources = entries('resource').filter((resource) => !isOwn(resource.name)), kinds = {}, since = (to) => Math.round(to * 10) / 10;
    const kb = (all) => Math.round(all.reduce((sum, resource) => sum + (resource.transferSize || 0), 0) / 1024);
    for (const { initiatorType } of resources) kinds[initiatorType] = (kinds[initiatorType] || 0) + 1;
    const slowest = resources.slice().sort((a, b) => b.duration - a.duration)[0];
    record({ type: 'metric', subtype: 'page-load', url: pageUrl(), 'navigation-type': entry.type,
      timing: assign(phases(entry), { 'dom-content-loaded': since(entry.domContentLoadedEventEnd), 'fully-loaded': since(entry.loadEventEnd) }),
      resources: { count: resources.length, 'total-size-kb': kb(resources.concat(entry)), kinds, slowest: slowest && { url: slowest.name, 'duration-ms': round(slowest.duration) } } });
  }

  /** The five web vitals by the definitions of web.dev/articles/vitals: told while they change, and once as `final`. */
  function watchVitals() {
    let told, hiddenAt, isInputSeen, hasPainted, cls, shifts, longest, counted, kind, inpTimer = 0;
    let firstId = Infinity, lastId = 0;
    const activation = () => (entries('navigation')[0] || {}).activationStart || 0;
    const since = (time) => Math.max(time - activation(), 0);
    const interactions = () => performance.interactionCount || (lastId ? (lastId - firstId) / 7 + 1 : 0);

    function reset(navigation) {
      kind = navigation;
      told = {};
      isInputSeen = hasPainted = false;
      cls = { value: 0 };
      shifts = [];
      longest = [];
      counted = interactions();
      hiddenAt = document.visibilityState === 'hidden' && !document.prerendering ? 0 : Infinity;
    }

    function tell(name, value, isFinal, more) {
      const [good, poor] = VITALS[name], rounded = name === 'CLS' ? Math.round(value * 1e4) / 1e4 : round(value), mark = rounded + ' ' + isFinal;
      if (told[name] === mark || told[name] === rounded + ' true') return;
      told[name] = mark;
      record(assign({ type: 'metric', subtype: 'web-vital', vital: name, 'metric-name': name, value: rounded, unit: name === 'CLS' ? undefined : 'ms',
        rating: value > poor ? 'poor' : value > good ? 'needs-improvement' : 'good', final: isFinal, 'navigation-type': kind }, more));
    }

    /** The four parts of an LCP, each from where the one before ends. */
    function lcpParts({ url, startTime }) {
      const resource = url && entries('resource').find((one) => one.name === url) || { responseEnd: 0 }, ends = [since((entries('navigation')[0] || {}).responseStart || 0)];
      for (const at of [resource.requestStart || resource.startTime || 0, resource.responseEnd, startTime]) ends.push(Math.max(ends[ends.length - 1], since(at)));
      return { 'time-to-first-byte': round(ends[0]), 'resource-load-delay': round(ends[1] - ends[0]), 'resource-load-duration': round(ends[2] - ends[1]), 'element-render-delay': round(ends[3] - ends[2]) };
    }

    const tellLcp = (isFinal) => { if (told.lcp) tell('LCP', told.lcp.value, isFinal, told.lcp.more); };
    const tellCls = (isFinal) => { if (watchers[2] && hasPainted && (isFinal || !(cls.value - parseFloat(told.CLS) < 0.01))) tell('CLS', cls.value, isFinal, { element: cls.node ? selector(cls.node) : undefined }); };
    function tellInp(isFinal) {
      const worst = longest[Math.min(longest.length - 1, Math.floor((interactions() - counted) / 50))];
      if (!worst) return;
      const { entry } = worst, { startTime, processingStart, processingEnd } = entry;
      tell('INP', worst.duration, isFinal, { action: entry.name, element: worst.element,
        timing: { 'input-delay': round(processingStart - startTime), processing: round(processingEnd - processingStart), presentation: round(Math.max(0, startTime + worst.duration - processingEnd)) } });
    }

    reset((entries('navigation')[0] || { type: 'navigate' }).type);
    const wasHidden = entries('visibility-state').find((entry) => entry.name === 'hidden' && entry.startTime >= activation());
    if (wasHidden) hiddenAt = wasHidden.startTime;

    const watchers = [observe('paint', (entry) => {
      if (entry.name !== 'first-contentful-paint' || entry.startTime >= hiddenAt) return;
      hasPainted = true;
      tell('FCP', since(entry.startTime), true);
      const { responseStart, requestStart, domainLookupStart, domainLookupEnd, connectStart, connectEnd } = entries('navigation')[0] || {};
      if (responseStart > 0 && responseStart < tick()) tell('TTFB', since(responseStart), true, { timing: { 'waiting-duration': since(domainLookupStart), 'dns-duration': round(domainLookupEnd - domainLookupStart),
        'connection-duration': round(connectEnd - connectStart), 'request-duration': round(responseStart - requestStart) } });
      tellCls(false);
    }), observe('largest-contentful-paint', (entry) => {
      if (isInputSeen || entry.startTime >= hiddenAt) return;
      told.lcp = { value: since(entry.startTime), more: { element: entry.element ? selector(entry.element) : undefined, url: entry.url || undefined, timing: lcpParts(entry) } };
      tellLcp(false);
    }), observe('layout-shift', (entry) => {
      if (entry.hadRecentInput) return;
      const { startTime } = entry;
      if (shifts.length && !(startTime - shifts[shifts.length - 1].startTime < 1000 && startTime - shifts[0].startTime < 5000)) shifts = [];
      shifts.push(entry);
      const value = shifts.reduce((sum, shift) => sum + shift.value, 0);
      if (value <= cls.value) return;
      cls = { value, node: ((entry.sources || [])[0] || {}).node };
      tellCls(false);
    }), ...['event', 'first-input'].map((type) => observe(type, (entry) => {
      const { interactionId, duration } = entry;
      if (!interactionId) return;
      firstId = Math.min(firstId, interactionId);
      lastId = Math.max(lastId, interactionId);
      const work = entry.processingEnd - entry.processingStart;
      let known = longest.find((one) => one.id === interactionId);
      if (!known) longest.push(known = { id: interactionId, duration: 0, work: 0, entry });
      if (duration > known.duration || duration === known.duration && work > known.work) assign(known, { duration, work, entry });
      // Not every entry of an interaction knows its element, and none does once the page ends.
      known.element = known.element || (entry.target ? selector(entry.target) : undefined);
      longest = longest.sort((a, b) => b.duration - a.duration).slice(0, 10);
      inpTimer = inpTimer || later(() => { inpTimer = 0; tellInp(false); }, 100); // its other entries come too
    }, { durationThreshold: performance.interactionCount === undefined ? 16 : 40 }))];

    const drain = () => watchers.forEach((watcher) => watcher && watcher.drain && watcher.drain());
    const input = ({ isTrusted }) => {
      if (!isTrusted || isInputSeen) return;
      drain();
      tellLcp(true);
      isInputSeen = true;
    };
    return watchers.concat(listen(window, 'keydown', input, true), listen(window, 'click', input, true), listen(document, 'visibilitychange', ({ timeStamp }) => {
      if (document.visibilityState !== 'hidden') return;
      drain();
      hiddenAt = Math.min(hiddenAt, timeStamp);
      tellLcp(true);
      tellCls(true);
      tellInp(true);
    }, true), listen(window, 'pageshow', ({ persisted, timeStamp }) => {
      if (!persisted) return;
      reset('back-forward-cache');
      isInputSeen = true; // its paints are over: the first frame after the return is what counts
      window.requestAnimationFrame(() => window.requestAnimationFrame(hook(() => {
        hasPainted = true;
        for (const name of ['FCP', 'LCP']) tell(name, tick() - timeStamp, true);
        tell('TTFB', 0, true);
      })));
    }));
  }

  const longTask = (entry, more) => record(assign({ type: 'metric', subtype: 'long-task', 'duration-ms': round(entry.duration), 'start-time': round(entry.startTime) }, more));

  const watchTasks = () => observe('long-animation-frame', (entry) => longTask(entry, {
    'blocking-ms': round(entry.blockingDuration), 'render-ms': entry.renderStart ? round(entry.startTime + entry.duration - entry.renderStart) : 0,
    scripts: entry.scripts.slice().sort((a, b) => b.duration - a.duration).slice(0, 5).map((script) => ({ url: script.sourceURL || undefined, function: script.sourceFunctionName || undefined,
      position: script.sourceCharPosition, invoker: script.invoker, 'duration-ms': round(script.duration), 'layout-ms': round(script.forcedStyleAndLayoutDuration) })),
  })) || observe('longtask', (entry) => longTask(entry));

  // The user and the page's life.

  const CONTROL = 'button,a,label,summary,input,select,textarea,[role=button],[role=link],[role=tab],[role=menuitem]';
  const TYPED = 'input,textarea,select,option,[contenteditable],[data-taillight-mask]', HOLDS_TYPED = 'textarea,select,[contenteditable],[data-taillight-mask]';

  const watchUser = () => ['click', 'submit'].map((action) => listen(document, action, (event) => {
    const target = event.composedPath && event.composedPath()[0] || event.target;
    if (!target || target.nodeType !== 1 || target.closest('[data-taillight-ignore]')) return;
    const element = action === 'click' ? target.closest(CONTROL) || target : target;
    const isTyped = action === 'submit' || element.closest(TYPED) || element.isContentEditable || element.childElementCount > 20 || element.querySelector(HOLDS_TYPED);
    const words = isTyped ? '' : (element.textContent || '').replace(/\s+/g, ' ').trim();
    record({ type: 'analytics', subtype: 'user-action', action, 'element-id': element.getAttribute('id') || undefined,
      'element-class': element.getAttribute('class') || undefined, 'element-text': words && words.length < 50 ? words : undefined, element: selector(element) });
  }, { capture: true, passive: true }));

  /** A selector that survives a new build and a new render: test ids and lasting ids first, else the path from the nearest one. */
  function selector(element) {
    const steps = [];
    for (let node = element; node && node.nodeType === 1 && steps.length < 5; node = node.parentElement || node.getRootNode && node.getRootNode().host) {
      const tag = node.nodeName.toLowerCase(), id = node.getAttribute('id'), mark = ['data-testid', 'data-test', 'name'].find((name) => node.getAttribute(name));
      if (id && !/[:«»]|\d{3}/.test(id)) return [tag + '#' + id].concat(steps).join(' > ');
      if (mark) return [tag + '[' + mark + '="' + cut(node.getAttribute(mark), 60) + '"]'].concat(steps).join(' > ');
      const twins = node.parentElement ? Array.from(node.parentElement.children).filter((child) => child.nodeName === node.nodeName) : [];
      steps.unshift(tag + (twins.length > 1 ? ':nth-of-type(' + (twins.indexOf(node) + 1) + ')' : ''));
    }
    return steps.join(' > ');
  }

  /** Each quarter of the page that was reached, once. */
  function watchScroll() {
    let deepest = 0, timer = 0;
    return listen(window, 'scroll', () => {
      timer = timer || later(() => {
        timer = 0;
        const { scrollHeight, clientHeight } = document.documentElement, depth = scrollHeight > clientHeight ? Math.floor((window.scrollY + clientHeight) / scrollHeight * 4 + 0.01) * 25 : 0;
        if (depth <= deepest) return;
        deepest = depth;
        record({ type: 'analytics', subtype: 'scroll', depth, message: 'scrolled to ' + depth + ' %' });
      }, 250);
    }, { passive: true });
  }

  const watchVisibility = () => listen(document, 'visibilitychange', () => record({ type: 'analytics', subtype: 'visibility', visible: document.visibilityState !== 'hidden' }));

  const watchOnline = () => ['online', 'offline'].map((name) => listen(window, name, () => {
    record({ type: 'log', subtype: 'connectivity', level: name === 'online' ? 'info' : 'warn', online: name === 'online', message: 'the browser is ' + name });
    if (name === 'online') live.wake(false);
  }));

  function watchNavigation() {
    let from = pageUrl();
    const moved = (action) => {
      const url = pageUrl();
      if (url === from) return;
      record({ type: 'analytics', subtype: 'navigation', action, from, url, message: action + ' ' + place().pathname });
      from = url;
    };
    const changed = listen(window.navigation, 'currententrychange', (event) => moved(event.navigationType || 'replace'));
    return changed || ['push', 'replace'].map((action) => replace(window.history, action + 'State', (original, self, args) => {
      const result = apply(original, self, args);
      quietly(moved, null, [action]);
      return result;
    })).concat(listen(window, 'popstate', () => moved('traverse')), listen(window, 'hashchange', () => moved('traverse')));
  }

  const hotUpdate = (tool, files) => record({ type: 'log', subtype: 'hot-update', level: 'info', tool, files, message: 'hot update' + (files ? ': ' + files.slice(0, 3).join(', ') : '') });

  /** Vite and webpack; `init({hot: import.meta.hot})` (or `module.hot`) hears them at the source. */
  function watchHot() {
    let wasApplied = false, { hot } = settings;
    if (hot && hot.on) hot.on('vite:afterUpdate', hook(({ updates }) => { if (hot) hotUpdate('vite', updates.map((update) => update.path)); }));
    else if (hot && hot.addStatusHandler) hot.addStatusHandler(hook((status) => {
      if (hot && wasApplied && status === 'idle') hotUpdate('webpack');
      wasApplied = status === 'apply';
    }));
    return [() => { hot = null; }, listen(window, 'message', ({ data }) => {
      if (!hot && typeof data === 'string' && data.startsWith('webpackHotUpdate')) hotUpdate('webpack');
    })];
  }

  // Told last, so that the other recorders have had their word. A page back from the back/forward cache holds a dead
  // socket that still says it is open.
  const watchLeaving = () => [listen(window, 'pagehide', () => leave(true)), listen(document, 'visibilitychange', () => {
    if (document.visibilityState === 'hidden') leave(false);
    else live.wake(false);
  }), listen(window, 'pageshow', ({ persisted }) => { if (persisted) live.wake(true); })];

  function leave(isGone) {
    flush();
    live.leave(isGone);
  }

  const RECORDERS = { error: watchErrors, csp: watchPolicy, console: watchConsole, fetch: watchFetch, xhr: watchXhr, timing: watchTiming, beacon: watchBeacons, websocket: watchSockets,
    load: watchLoad, vitals: watchVitals, tasks: watchTasks, user: watchUser, scroll: watchScroll, visibility: watchVisibility, online: watchOnline, navigation: watchNavigation,
    hot: watchHot, leaving: watchLeaving };

  // ---- what the page may call --------------------------------------------------------------------------------

  /** Brings the recorders in line with the settings; those named in `changed` begin anew. */
  function install(changed) {
    const off = names(settings.off), { sample: own } = settings;
    ownSample = typeof own !== 'string' ? own || {} : SAMPLE[own] || own.split(',').reduce((rates, pair) => assign(rates, { [pair.split('=')[0].trim()]: +pair.split('=')[1] }), {});
    for (const name of keys(RECORDERS)) {
      const isOff = !running || off.includes(name) && name !== 'leaving';
      if (active[name] && (isOff || changed.includes(name))) {
        for (const undone of active[name]) if (undone) quietly(undone);
        delete active[name];
      }
      if (!isOff && !active[name]) active[name] = [].concat(quietly(RECORDERS[name]));
    }
    hasBegun = hasBegun || running;
  }

  /** Everything that waits for something goes now. */
  function flush() {
    if (!running) return;
    for (const call of open) complete(call);
    tellBursts();
    live.pump();
  }

  function start() {
    if (!live) {
      me = introduction();
      live = channel(me, []);
    }
    running = true;
    live.connect();
    install([]);
  }

  function stop() {
    if (!running) return;
    leave(true);
    running = false;
    install([]);
    live.close();
  }

  const isWanted = () => !!settings.url && (granted || !isOn(settings.consent)) &&
    !(isOn(settings.dnt) && (navigator.doNotTrack === '1' || window.doNotTrack === '1' || navigator.globalPrivacyControl));

  const api = {
    /** Starts the client, or changes its settings. */
    init(options) {
      const given = options || {}, before = base + pageKey;
      for (const key of keys(given)) if (key in settings && given[key] !== undefined) settings[key] = given[key];
      if (!isWanted()) return stop();
      if (!running) return start();
      assign(me, { user: settings.user, app: settings.app || undefined, build: settings.build || undefined });
      quietly(address);
      if (before !== base + pageKey) live.wake(true);
      install(keys(given));
    },
    log(level, message, context) {
      record({ type: 'log', level: String(level).toLowerCase(), message: text(message), context });
    },
    track(name, properties) {
      const { feature, funnel, step } = properties || {};
      const subtype = feature !== undefined ? 'feature-usage' : funnel !== undefined && step !== undefined ? 'conversion' : 'custom';
      const event = { type: 'analytics', subtype, 'event-name': String(name) };
      record(subtype === 'custom' ? assign(event, { properties }) : assign({}, event, properties, event));
    },
    metric(name, value, unit) {
      record({ type: 'metric', subtype: 'custom', 'metric-name': String(name), value, unit });
    },
    error(error, context) {
      fault('own|' + brief(error), () => assign({ type: 'error', subtype: 'javascript' }, thrown(error), { handled: true, context, severity: 'medium' }));
    },
    render(component, ms, more) {
      const event = { type: 'metric', subtype: 'render', component: String(component), 'render-time-ms': +ms };
      record(assign({}, event, more, event));
    },
    setUser(id) {
      settings.user = id === null || id === undefined ? null : String(id);
      if (me) me.user = settings.user;
    },
    setContext(context) {
      shared = context ? assign({}, shared, context) : null;
    },
    /** Lets the console ask this page for what `run` returns. */
    answer(name, run) {
      if (!has(answers, name)) answers[name] = run;
    },
    consent(isGiven) {
      granted = isGiven !== false;
      if (!granted) settings.consent = true;
      if (granted || !running) return api.init();
      running = false;
      install([]);
      live.drop();
      for (const name of ['session', 'tab', 'load']) quietly(() => window.sessionStorage.removeItem('taillight.' + name));
    },
    flush, stop,
  };

  const shown = {};
  for (const name of keys(api)) shown[name] = hook(function () { api[name].apply(null, arguments); });
  quietly(() => { window.taillight = Object.freeze(shown); });
  shown.init();
})(self);
