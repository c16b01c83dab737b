/**
 * The browser client of taillight: records what a page does and sends it to the console it was loaded from.
 * docs/client.md has its settings, its calls and why it works as it does. Loaded from an address that ends in
 * taillight.js or taillight.mjs it starts by itself; in a bundle and in a worker it waits for `taillight.init({url, …})`.
 *
 * It never throws into the page, changes no argument, result or error, reads no body and no typed value, leaves its own
 * traffic out, and takes no code from the network.
 *
 * For /taillight.mjs the server puts `import.meta.url` in the one line that declares SELF, and appends the exports.
 */
(function (window) {
  'use strict';

  /** @type {any} The page; empty in a worker. */
  const document = window.document || {};
  const SELF = document.currentScript?.src;
  if (window.taillight?.stop) return;

  const WINDOW = 1000; // an urgent event overtakes at most this many; the server's window for early numbers is 1,024
  const BUFFER_EVENTS = 5000, MIB2 = 2097152, STORE = 'taillight.q.', SCAN_CHARS = 16000, ITEMS = 100;
  const LEVELS = { __proto__: null, trace: 0, debug: 1, analytics: 1, info: 2, metric: 2, warn: 3, warning: 3, error: 4, fatal: 5, report: 6 }; // types have one too

  // Kept from the start: the page, its test clocks and other recorders may replace them later.
  const { assign, keys, getPrototypeOf, getOwnPropertyDescriptor } = Object, { parse, stringify } = JSON;
  const { WebSocket, fetch, performance = {}, navigator = {}, setTimeout, clearTimeout, Date } = window;
  const { sendBeacon, userAgent } = navigator, console = { ...window.console }, encoder = new TextEncoder();

  const settings = {
    url: /\/taillight\.m?js([?#]|$)/.test(SELF) ? SELF : '', // not a bundle that this is part of
    key: '', app: '', build: '', user: null, session: '', tab: '', console: 'warn,error', off: '', ignoreUrls: '', maxMessage: 500, maxStack: 2000, maskEmail: true,
    batchMs: 100, batchEvents: 100, sample: null, consent: false, dnt: false, sanitize: null, hot: null,
  };
  const FILE = settings.url.split('?')[0] || '\n', { dataset = {} } = document.currentScript || {};
  for (const name in settings) if (name in dataset) settings[name] = settings[name] > 1 && +dataset[name] || dataset[name];
  const isOn = (setting) => !/^(false|off|no|0|null|undefined)$/.test(setting);
  const names = (list) => String(list).toLowerCase().split(/[\s,]+/);

  const counts = { filtered: 0, sampled: 0, dropped: 0, rejected: 0 }, errors = [], active = {};
  let running, busy, enabled = true, granted, minLevel = 0, sample = {}, ownSample, shared, recovering, hasBegun, undo;
  let base = '', pageKey = '', /** @type {any} */ live, me, marks, path;

  const note = (error) => errors.splice(0, errors.push(String(error?.message || error).slice(0, 200)) - 5);

  const safe = (work, ...args) => {
    const before = busy;
    busy = true;
    try {
      return work(...args);
    } catch (error) {
      note(error);
    } finally {
      busy = before;
    }
  };

  /** `work` that never throws, and does nothing while another hook runs (a getter that logs, for one). */
  const hook = (work) => (...args) => { if (!busy) return safe(work, ...args); };

  const later = (work, ms) => setTimeout(() => safe(work), ms);
  /** Runs `work` so many ms after the first of the calls since it last ran; `wait(0)` says whether it is due. */
  const once = (work) => {
    let timer = 0;
    return (ms) => timer ||= ms && later(() => { timer = 0; work(); }, ms);
  };
  const now = () => Date.now(), tick = () => performance.now?.() ?? now(), round = (ms) => Math.round(ms * 1000) / 1000;
  const place = () => window.location || {};
  const byteLength = (text) => (/[^\0-\x7f]/.test(text) ? encoder.encode(text) : text).length;

  // ---- secrets

  const REDACTED = '[redacted]', SECRET = 0, PERSONAL = 1, EMAIL = 2, CONTEXT = 3, known = new Map();
  const KINDS = [/^(passw(or)?d|pwd|(client)?secret|(access|refresh|id)?token|apikey|authorization|(set)?cookie|creditcard|cardnumber|cv[vc]|privatekey|ssn)$/, /^(phone|address)$/, /^email$/, /^context$/];

  /** A key as JSON, and what it says, in any case style, of its value. */
  const judged = (key) => {
    let facts = known.get(key);
    if (!facts) {
      const name = key.slice(0, 64).toLowerCase().replace(/[^a-z0-9]/g, '');
      if (known.size > 999) known.clear();
      known.set(key, facts = [stringify(cut(key, 200)) + ':', KINDS.findIndex((kind) => kind.test(name))]);
    }
    return facts;
  };

  const luhn = (digits) => !([...digits].reverse().reduce((sum, digit, i) => sum + +(i % 2 ? '0246813579'[digit] : digit), 0) % 10);

  const scrub = (text, keepMail) => {
    const clean = text.replace(/\bbearer\s+[\w.~+/=-]{8,2048}/gi, 'Bearer ' + REDACTED)
      .replace(/\beyJ[\w-]{5,2048}\.[\w-]{5,2048}\.[\w-]{0,2048}/g, REDACTED)
      .replace(/([?&#])([\w.%~-]{1,64})=[^&#\s"'<>]+/g, (all, mark, key) => (judged(key)[1] === SECRET ? mark + key + '=' + REDACTED : all))
      .replace(/:\/\/[^/\s?#@]{1,256}@/g, '://' + REDACTED + '@')
      .replace(/\b[2-6]\d{3}([ -]?\d){9,15}\b/g, (all) => (luhn(all.replace(/\D/g, '')) ? REDACTED : all));
    return keepMail || !isOn(settings.maskEmail) ? clean : clean.replace(/([\w.+%-])@[a-z][\w-]{0,62}(\.[\w-]{1,63}){0,8}\.[a-z]{2,24}\b/gi, '$1@***');
  };

  // ---- values as JSON: bounded in depth, width and length, secrets out, no getter run

  const tagOf = (value) => ({}).toString.call(value).slice(8, -1);
  const isError = (value) => value instanceof Error || /^(Error|DOMException)$/.test(tagOf(value));

  /** The data property `key` of `object`; a getter is not run. */
  const own = (object, key) => {
    const property = getOwnPropertyDescriptor(object, key);
    return property && ('value' in property ? property.value : '[getter]');
  };

  const cut = (text, limit) => (text.length > limit ? text.slice(0, limit && limit - 1).replace(/[\uD800-\uDBFF]$/, '') + '…' : text);

  let left, around; // of the one value that is written: characters, and the objects that it is in

  const encode = (value, limit, depth = 0) => {
    left = limit;
    around = [];
    return write(value, depth);
  };

  const quote = (text, key) => {
    const most = key === 'message' ? settings.maxMessage : key === 'stack' ? settings.maxStack : 4000;
    // Most strings are short and hold nothing to escape or to hide: one look tells.
    const isClean = text.length <= Math.min(most, left) && !/[^ !#-<>?A-[\]-~]|bearer|eyJ|[2-6]\d{3}([ -]?\d){9}/i.test(text);
    const made = isClean ? text : cut(scrub(text.slice(0, Math.min(SCAN_CHARS, most * 2)), key === 'stack'), Math.min(most, Math.max(left, 20)));
    left -= made.length;
    return isClean ? `"${text}"` : stringify(made);
  };

  const write = (value, depth, inContext, key) => {
    const type = typeof value;
    left -= 8;
    if (type === 'string') return quote(value, key);
    if (value === null || type === 'boolean' || type === 'number' && isFinite(value)) return '' + value;
    if (type === 'function') return quote(`[function ${own(value, 'name') || 'anonymous'}]`);
    if (type !== 'object') return quote(String(value) + (type === 'bigint' ? 'n' : ''));
    if (around.includes(value)) return '"[circular]"';
    const isList = Array.isArray(value), tag = isList || getPrototypeOf(value) === Object.prototype ? '' : tagOf(value), isFault = tag && isError(value), line = tag && !isFault && oneLine(value, tag);
    if (line) return quote(line);
    if (depth > 5 || left <= 0) return isList ? `"[array ${value.length}]"` : '"[object]"';
    around.push(value);
    const made = isList ? list(value, value.length, depth + 1, inContext)
      : /^(Map|Set)$/.test(tag) ? `{"${tag}(${value.size})":${list(value, value.size, depth + 1, inContext)}}`
        : fields(isFault ? partsOf(value) : value, depth + 1, inContext);
    around.pop();
    return made;
  };

  const oneLine = (value, tag) => {
    if (/Element$|Document|^(Text|Comment|ShadowRoot)$/.test(tag) && value.nodeType > 0) {
      const name = value.nodeName, given = (key) => value.getAttribute(key) || '', id = value.nodeType === 1 && given('id');
      return id === false ? name : `<${name.toLowerCase()}${id && '#' + id}${given('class').replace(/\s*(\S+)\s*/g, '.$1').split('.', 4).join('.')}>`;
    }
    if (/^(Date|RegExp|URL)$/.test(tag)) return value.toJSON?.() || String(value);
    if (ArrayBuffer.isView(value)) return `[${tag} ${value.byteLength} bytes]`;
    if (/Window|GlobalScope/.test(tag) || !/^(Object|Map|Set)$/.test(tag) && !keys(value).length) return `[${tag}]`;
  };

  const fields = (value, depth, inContext, made = '') => {
    const all = keys(value);
    let count = 0;
    for (const key of all) {
      const item = depth < 2 ? value[key] : own(value, key); // an event itself is ours
      if (item === undefined) continue;
      const facts = judged(key), kind = facts[1];
      if (count++ === 50) return `{${made},"…":"${all.length - 50} more"}`;
      left -= key.length;
      made += (made && ',') + facts[0] + (item !== null && (kind === SECRET || kind === PERSONAL && inContext) ? `"${REDACTED}"`
        : write(kind === EMAIL && isOn(settings.maskEmail) && item.replace?.(/@.+/, '@***') || item, depth, inContext || kind === CONTEXT, key));
    }
    return `{${made}}`;
  };

  const list = (items, size, depth, inContext) => {
    let made = '', count = 0;
    for (const item of items) {
      if (count === ITEMS || left <= 0) return `[${made},"… ${size - count} more"]`;
      made += (count++ ? ',' : '') + write(item, depth, inContext);
    }
    return `[${made}]`;
  };

  const partsOf = (error) => {
    if (!isError(error)) return { message: text(error), value: typeof error === 'object' ? error : undefined };
    const { name, message, stack } = error;
    return { name: String(name), message: String(message), stack: stack && String(stack), code: own(error, 'code') };
  };

  const thrown = (value) => {
    const causes = [], seen = [value];
    for (let one = value; isError(one) && (one = one.cause) && causes.length < 5 && !seen.includes(one); causes.push(partsOf(one))) seen.push(one);
    return { ...partsOf(value), causes: causes[0] && causes, errors: isError(value) && Array.isArray(value.errors) ? value.errors.slice(0, 10).map(partsOf) : undefined };
  };

  const text = (value) => {
    if (typeof value === 'string') return value;
    if (isError(value)) return value.name + ': ' + value.message;
    const json = encode(value, 4000, 2);
    return json[0] === '"' ? parse(json) : json;
  };

  const format = ([first, ...rest]) => [typeof first === 'string' && rest.length ? first.slice(0, SCAN_CHARS).replace(/%[sdifoOc%]/g, (directive) => {
    if (directive === '%%') return '%';
    if (!rest.length) return directive;
    const value = text(rest.shift());
    return directive === '%c' ? '' : directive === '%f' ? parseFloat(value) : /[di]/.test(directive) ? parseInt(value, 10) : value;
  }) : text(first), ...rest.map(text)].join(' ');

  // ---- who this is

  const randomHex = (size) => {
    const bytes = new Uint8Array(size);
    safe(() => window.crypto.getRandomValues(bytes));
    return bytes.reduce((text, byte) => text + ((byte ^ Math.random() * 256) + 256).toString(16).slice(1), '');
  };

  /** A value that lives as long as the tab, or where storage is blocked with the page. */
  const remembered = (key, make = (before) => before || randomHex(8)) => {
    const area = safe(() => window.sessionStorage), value = String(make(safe(() => area.getItem('taillight.' + key))));
    safe(() => area.setItem('taillight.' + key, value));
    return value;
  };

  const pageUrl = () => cut(scrub(String(place().href || '')), 2000);

  const describe = () => {
    me ||= {
      client: randomHex(16), session: settings.session || remembered('session'), tab: settings.tab || remembered('tab'),
      load: +remembered('load', (before) => (+before || 0) + !(before && window.parent && window.parent !== window)), // a frame is of its page's load
    };
    const { user, app, build } = settings;
    assign(me, { user, app: app || undefined, build: build || undefined, page: pageUrl() });
    path = marks = {};
    for (const [key, value] of Object.entries({ 'session-id': me.session, app, build, 'user-id': user })) if (value != null && value !== '') marks[key] = `"${key}":` + encode(value, 999);
  };

  // ---- one client's numbers, buffer, connection and offline store

  /**
   * The channel of one client: this document (no `done`), or one before it that left something behind; `done` hears
   * whether all of that was taken. `queue` has what is not acked, by number, and the place of the next event at its end;
   * a number that is not in it was dropped, and is told as a gap before the entry that follows (up to its `told`).
   */
  const channel = (who, acked, queue, done) => {
    let bytes, unsent, isSaved, isGone, socket, ready, since, tries = 0, ever, timer, holdUntil = 0, maxBytes = 65536, answering, inFlight = [];

    const last = () => queue[queue.length - 1].seq - 1, isFull = () => unsent >= settings.batchEvents;

    const add = (json, rank) => {
      const entry = assign(queue[queue.length - 1], { json, bytes: byteLength(json), rank });
      queue.push({ seq: entry.seq + 1 });
      unsent++;
      bytes += entry.bytes;
      for (let worst; (queue.length > BUFFER_EVENTS + 1 || bytes > MIB2) && (worst = count());) {
        const at = queue.indexOf(worst);
        queue.splice(at, 1);
        queue[at].told = worst.told;
        worst.json = '';
        unsent--;
        bytes -= worst.bytes;
        counts.dropped++;
      }
      if (!ready) saveSoon();
      else if (rank > 1 && entry.json && now() >= holdUntil && inFlight.length < 4 && inFlight.filter((frame) => frame.urgent).length < 2 && last() - acked <= WINDOW) post('urgent', [entry]);
      else if (rank > 1 || isFull()) pump();
      else flushLater(+settings.batchMs || 1);
    };

    const count = () => {
      let worst;
      bytes = unsent = 0;
      for (const entry of queue) {
        if (!entry.json) continue;
        bytes += entry.bytes;
        if (entry.sent) continue;
        unsent++;
        if (!(worst?.rank <= entry.rank)) worst = entry;
      }
      return worst;
    };

    const settle = (seq) => {
      acked = Math.max(acked, Math.min(seq, last()) || 0);
      queue = queue.filter((entry) => entry.seq > acked);
      inFlight = inFlight.filter((frame) => frame.to > acked);
      count();
      awaitAck();
      if (isSaved && acked === last()) isSaved = forget(STORE + who.client);
    };

    const connect = () => {
      close();
      if (!WebSocket || !running || !safe(address)) return;
      const mine = socket = safe(() => new WebSocket(base.replace(/^http/, 'ws') + 'v1/ws', ['taillight.v1'].concat(pageKey ? 'k.' + pageKey : [])));
      if (!socket) return lost();
      const hear = (work) => (event) => { if (socket === mine) safe(work, event); };
      if (!done) describe();
      socket.onopen = hear(() => send({ t: 'hello', v: 1, ...who, now: now(), next: acked + 1 }));
      socket.onmessage = hear(({ data }) => {
        const message = parse(data);
        receivers[message.t]?.(message);
      });
      socket.onclose = hear(lost);
      timer = later(hear(lost), 10000);
    };

    const close = () => {
      clearTimeout(timer);
      safe(() => socket?.close());
      socket = ready = null;
    };

    // Tries are far apart where nobody listens: each prints a line in the page's console.
    const lost = () => {
      close();
      resend();
      if (done) return done(false);
      if (!running) return;
      if (acked < last()) saveSoon();
      if (since && now() - since > 5000) tries = 0;
      since = 0;
      const probes = ++tries - (ever ? 40 : 3);
      timer = later(connect, probes < 0 ? Math.random() * Math.min(10000, 250 * 2 ** (tries - 1)) : (0.5 + Math.random() / 2) * Math.min(300000, 30000 * 2 ** probes));
      if (!ever && !probes) explain();
    };

    const resend = () => {
      inFlight = [];
      for (const entry of queue) entry.sent = entry.beaconed = entry.told = 0;
      count();
    };

    const awaitAck = () => {
      clearTimeout(timer);
      if (inFlight.length) timer = later(lost, 60000);
    };

    const send = (message) => socket.send(stringify(message));
    const flushLater = once(() => pump()), saveLater = once(() => ready || done || save());
    const saveSoon = () => saveLater(Math.max(2000, bytes / 200));

    const body = (head, run) => `${stringify({ ...head, seq: run[0].seq }).slice(0, -1)},"events":[${run.map((entry) => entry.json)}]}`;

    const post = (t, run) => {
      socket.send(body({ t }, run));
      inFlight.push({ to: run[run.length - 1].seq, urgent: t === 'urgent' });
      if (inFlight.length < 2) awaitAck();
      for (const entry of run) entry.sent = 1;
      unsent -= run.length;
    };

    const runs = (isFit, room, take, gap) => {
      for (let at = 0, next = acked + 1; at < queue.length; next = queue[at - 1].seq + 1) {
        const first = queue[at++], run = [first], from = Math.max(next, first.told + 1 || 0);
        let size = first.bytes;
        if (gap && first.seq > from) {
          gap(from, first.seq - 1);
          first.told = first.seq - 1;
        }
        if (!first.json || !isFit(first)) continue;
        while (run.length < settings.batchEvents && queue[at].json && queue[at].seq === first.seq + run.length && isFit(queue[at]) && (size += queue[at].bytes + 1) < room()) run.push(queue[at++]);
        if (take(run)) return;
      }
    };

    const pump = (leaving) => {
      const hold = holdUntil - now();
      if (ready && hold > 0 && !leaving) flushLater(hold);
      else if (ready) runs((entry) => !entry.sent, () => maxBytes - 64, (run) => inFlight.length >= 4 && !leaving || post('batch', run),
        (from, to) => send({ t: 'gap', from, to, count: to - from + 1, reason: 'buffer-full' }));
    };

    const goOn = (isNow) => {
      if (done && acked === last()) {
        close();
        done(true);
      } else if (isNow) pump();
    };

    const receivers = {
      __proto__: null,
      welcome(message) {
        settle(message.acked);
        receivers.config(message);
        if (message['max-bytes'] > 1024) maxBytes = message['max-bytes'];
        ready = ever = true;
        since = now();
        holdUntil = 0;
        goOn(true);
        if (!done) recover();
      },
      ack({ seq }) {
        settle(seq);
        goOn(!flushLater() || isFull());
      },
      nack({ rejected }) {
        counts.rejected += rejected?.length || 0;
      },
      throttle({ ms }) {
        holdUntil = now() + Math.min(+ms || 0, 60000);
        resend(); // what was refused for now comes again; what was taken after all is known by its number
        awaitAck();
        flushLater(holdUntil - now() || 1);
      },
      config(message) {
        if (message.sample) sample = Object(message.sample);
        minLevel = LEVELS[message['min-level']] ?? minLevel;
        enabled = message.enabled ?? enabled;
      },
      error({ code, message }) {
        note(`server: ${code} ${message}`);
      },
      request({ id, kind }) {
        const mine = socket, run = answers[kind];
        const reply = (data) => mine.send(encode({ t: 'reply', id, data }, 40000)); // six bytes each at worst: below 256 KiB
        if (answering || !run) return reply({ error: answering ? 'busy' : 'unknown kind' });
        console.debug?.(`taillight: the console at ${base} asked this page for "${kind}"`);
        const timeout = answering = later(() => fail('no answer in 10 s'), 10000);
        const finish = (data) => {
          if (answering !== timeout) return;
          answering = clearTimeout(timeout);
          safe(reply, data);
        };
        const fail = (error) => finish({ error: text(error) });
        try {
          const data = run();
          if (data?.then) data.then(finish, fail);
          else finish(data);
        } catch (error) {
          fail(error);
        }
      },
    };

    const beacon = () => {
      let room = 60000 - byteLength(stringify(who)) - 60; // browsers share 64 KiB between all beacons under way
      if (sendBeacon && base) for (const rank of bytes > room ? [2, 0] : [0]) {
        runs((entry) => !entry.beaconed && entry.rank >= rank, () => room, (run) => {
          const data = body({ t: 'batch', ...who }, run), size = byteLength(data);
          if (size > room || !sendBeacon.call(navigator, base + 'v1/events' + (pageKey && '?k=' + pageKey), data)) return true;
          room -= size;
          for (const entry of run) entry.beaconed = 1;
        });
      }
    };

    const save = () => {
      const area = storage(), key = STORE + who.client;
      if (!area || acked === last()) return;
      let room = MIB2;
      for (const one of stored(area)) room -= one !== key && area.getItem(one).length;
      const kept = queue.slice(0, -1).sort((a, b) => b.rank - a.rank || b.seq - a.seq).map((entry) => `[${entry.seq},${entry.rank},${entry.json}]`)
        .filter((entry) => (room -= entry.length + 20) > 0);
      const head = stringify({ who, at: now(), isGone, from: acked + 1, last: last() }).slice(0, -1);
      // The rest of the area is the app's: where it leaves less room, half as many are tried until they fit.
      while (!(isSaved = safe(() => area.setItem(key, `${head},"events":[${kept}]}`) || true)) && kept.length) kept.length >>= 1;
    };

    resend();

    return {
      add, pump, connect, close,
      /** The page is hidden, or with `isEnd` ends; a page that ends is hidden after that. */
      leave(isEnd) {
        isGone ||= isEnd;
        pump(isEnd);
        beacon();
        if (isGone || !ready) save();
      },
      wake(isNew) {
        isGone = false;
        for (const entry of queue) entry.beaconed = 0;
        if (isNew) resend();
        if (isNew || !socket) connect();
      },
      drop() {
        close();
        counts.dropped += queue.length - 1;
        settle(last());
      },
      figures: () => ({ recorded: last(), acked, buffered: queue.length - 1 }),
    };
  };

  const address = () => {
    const url = new URL(String(settings.url).replace(/^ws/, 'http'), document.baseURI), key = settings.key || url.searchParams.get('k') || '';
    base = new URL('.', url).href;
    pageKey = /^[A-Za-z0-9]{1,64}$/.test(key) ? key : '';
    return /^http/.test(base);
  };

  /** Our own addresses, not the whole origin: behind a dev server's proxy that is the app's origin too. */
  const isOwn = (address) => {
    const url = String(address).replace(/^ws/, 'http');
    return base && url.startsWith(base) && /^(v1\/|taillight\.)/.test(url.slice(base.length));
  };

  const isLeftOut = (url) => isOwn(url) || names(settings.ignoreUrls).some((part) => part && url.toLowerCase().includes(part));

  const explain = () => {
    const { origin } = place();
    fetch?.(base + 'taillight.js', { mode: 'no-cors', cache: 'no-store' }).then(() =>
      console.warn(`taillight: ${base} refuses ${origin}. Start it with --allow-origin ${origin}, or use the script tag with ?k= that it prints.`)).catch(note);
  };

  // ---- the store: what documents that ended left for the next one of their origin

  const storage = () => safe(() => window.localStorage);
  const stored = (area) => keys(area).filter((key) => key.startsWith(STORE));
  const forget = (key) => safe(() => storage().removeItem(key));

  const recover = () => {
    const area = storage();
    for (const key of recovering || !area ? [] : stored(area)) {
      const { who, at, isGone, from, queue } = safe(restored, area.getItem(key)) || {};
      if (!queue) forget(key);
      else if (who.client !== me.client && (isGone || now() - at > 60000)) {
        recovering = true;
        return channel(who, from - 1, queue, (isTaken) => {
          recovering = false;
          if (!isTaken) return;
          forget(key);
          recover();
        }).connect();
      }
    }
  };

  const restored = (json) => {
    const found = parse(json), { who, from, last, events } = found;
    const queue = events.filter(([seq, , event]) => seq >= from && seq <= last && event).sort((a, b) => a[0] - b[0])
      .map(([seq, rank, event]) => ({ seq, rank, json: stringify(event) }));
    for (const entry of queue) entry.bytes = byteLength(entry.json);
    if (who.client && last >= from) return { ...found, queue: [...queue, { seq: last + 1 }] };
  };

  // ---- recording

  const rateOf = ({ action, subtype, type }) => {
    for (const rates of [sample, ownSample]) for (const name of [action, subtype, type]) if (rates[name] >= 0) return +rates[name];
    return 1;
  };

  /** Takes one event; numbered after sampling, so that the numbers have no holes. */
  const record = (event) => {
    if (!running || !enabled) return;
    const level = LEVELS[event.type] ?? LEVELS[event.level] ?? 2;
    const isUrgent = level === 4 || level === 5 || /^(high|critical)$/.test(event.severity), rate = isUrgent ? 1 : rateOf(event);
    if (level < minLevel) return void counts.filtered++;
    if (Math.random() >= rate) return void counts.sampled++;
    const { pathname } = place();
    if (path !== pathname) marks.page = '"page":' + encode(path = pathname, 999);
    if (shared) event.context = { ...shared, ...event.context };
    if (rate < 1) event.sampled = rate;
    event.timestamp ??= now();
    let json = '';
    for (const key in marks) if (!(key in event)) json += (json && ',') + marks[key];
    left = 32000;
    around = [];
    json = fields(event, 1, false, json);
    if (typeof settings.sanitize === 'function') {
      const kept = safe(settings.sanitize, parse(json));
      json = kept && typeof kept === 'object' && encode(kept, 32000);
    }
    if (json) live.add(json, isUrgent ? 2 : +(level >= 2));
    else counts.filtered++;
  };

  const tell = (type, subtype, more) => record({ type, subtype, ...more });

  const tellers = new WeakMap();

  /** Whether another recorder has told this very error; what is uncaught is told all the same, for that is news. */
  const isTold = (error, by) => {
    if (!isError(error)) return;
    if (!tellers.has(error)) tellers.set(error, by);
    return tellers.get(error) !== by;
  };

  const bursts = new Map();
  let burstTimer = 0;

  /** From the sixth in a second on equal errors are counted, and told once a second. */
  const fault = (subtype, key, make) => {
    const name = subtype + key, fresh = () => ({ type: 'error', subtype, severity: 'medium', ...make() });
    let burst = bursts.get(name);
    if (!burst) {
      if (bursts.size > 199) return record(fresh());
      bursts.set(name, burst = { seen: 0, count: 0 });
      burstTimer ||= later(tellBursts, 1000);
    }
    if (burst.seen++ < 5) return record(burst.event = fresh());
    burst.last = now();
    if (!burst.count++) burst.first = burst.last;
  };

  const tellBursts = () => {
    for (const [name, { event, count, first, last }] of bursts) {
      if (count) record({ ...event, count, first, timestamp: last });
      if (count) bursts.set(name, { seen: 5, count: 0, event });
      else bursts.delete(name);
    }
    clearTimeout(burstTimer);
    burstTimer = bursts.size && later(tellBursts, 1000);
  };

  // ---- what the server may ask; `taillight.answer` adds to it

  const facts = (object) => {
    const found = {};
    for (const name in object) if (Object(object[name]) !== object[name]) found[name] = object[name];
    return object && found;
  };
  const storedKeys = (area) => safe(() => keys(window[area]).filter((key) => !key.startsWith(STORE)).slice(0, ITEMS)) || [];
  const entries = (type) => performance.getEntriesByType?.(type) || [];

  const answers = {
    __proto__: null,
    ping: () => ({ now: now() }),
    flush() {
      flush();
      return { buffered: live.figures().buffered };
    },
    perf: () => ({ 'up-ms': round(tick()), timing: phases(navigation()), resources: entries('resource').length, requests: open.length, memory: facts(performance.memory) }),
    'dom-stats': () => ({ state: document.readyState, elements: document.querySelectorAll('*').length, ...Object.fromEntries(['forms', 'images', 'links', 'scripts', 'styleSheets'].map((name) => [name, document[name]?.length])) }),
    diagnostics: () => ({
      ...live.figures(), ...counts, url: pageUrl(), title: document.title, viewport: { width: window.innerWidth, height: window.innerHeight }, language: navigator.language,
      'user-agent': userAgent, ...safe(answers.perf), dom: safe(answers['dom-stats']), connection: facts(navigator.connection),
      storage: { local: storedKeys('localStorage'), session: storedKeys('sessionStorage') }, errors,
    }),
  };

  // ---- how recorders get at the page; what ends it goes to `undo`

  const on = (target, types, work) => {
    const hooked = hook(work);
    if (target?.addEventListener) types.split(' ').forEach((type) => {
      target.addEventListener(type, hooked, true);
      undo?.push(() => target.removeEventListener(type, hooked, true));
    });
    return target?.addEventListener;
  };

  /** Puts `around(run, [self, args])` in place of a function or, without `self`, a constructor; a Proxy keeps name, length and text. */
  const replace = (owner, name, around, trap = 'apply') => {
    while (owner && !own(owner, name)) owner = getPrototypeOf(owner);
    const before = owner && own(owner, name), call = Reflect[trap];
    if (typeof before !== 'function') return;
    let isAlive = true;
    const wrapper = owner[name] = new Proxy(before, { [trap]: (target, ...all) => (isAlive && !busy ? around(() => call(target, ...all), all) : call(target, ...all)) });
    undo.push(() => {
      isAlive = false;
      if (owner[name] === wrapper) owner[name] = before;
    });
    return wrapper;
  };

  const after = (work) => (run, [self, args]) => {
    const result = run();
    safe(work, args, result, self);
    return result;
  };

  /** Each performance entry of a type, those before now included. @returns what takes those that wait */
  const observe = (type, work, options) => {
    const Observer = window.PerformanceObserver;
    if (!Observer?.supportedEntryTypes?.includes(type)) return;
    const each = (list) => list.forEach((entry) => safe(work, entry)), observer = new Observer((list) => each(list.getEntries()));
    observer.observe({ type, buffered: !hasBegun, ...options });
    undo.push(() => observer.disconnect());
    return () => each(observer.takeRecords());
  };

  const spot = (url, line, column) => ({ url: url || undefined, line: line || undefined, column: column || undefined });

  const brief = (value) => (isError(value) ? value.name + value.message : typeof value === 'object' ? '{}' : String(value)).slice(0, 200);

  const frames = ({ stack }) => String(stack || '').split('\n').filter((line, i) => line && !line.includes(FILE) && (i || !/^Error/.test(line)));

  // Requests. A body is never read: sizes and the end of the body come from resource timing.

  let open = []; // answered, and waiting for their resource entry

  /** The address that a page hands over, '' where only reading it twice would tell. */
  const addressOf = (input) => {
    const address = typeof input === 'string' ? input : /^(URL|Request|Location)$/.test(tagOf(input)) ? input.url || input.href : '';
    return address && safe(() => new URL(address, document.baseURI || place().href).href) || address;
  };

  const callOf = (input, method, body, signal) => {
    const url = addressOf(input);
    if (!isLeftOut(url)) return { url, method: String(method || 'GET').toUpperCase(), start: tick(), stack: new Error(), operation: operationOf(body), signal };
  };

  const operationOf = (body) => {
    if (typeof body !== 'string' || body.length > 200000 || !/^\s*[[{]/.test(body)) return;
    const [, kind, first] = /"query"\s*:\s*"[^{"]{0,200}?\b(query|mutation|subscription)\s+(\w{1,100})/.exec(body) || [];
    const [, name] = /"operationName"\s*:\s*"(\w{1,100})"/.exec(body) || [];
    if (kind || name && /"query"\s*:|"persistedQuery"/.test(body)) return (kind ? kind + ' ' : '') + (name || first);
  };

  const callEvent = ({ url, method, operation, headers, start }) => ({ url, method, operation, 'duration-ms': round((headers || tick()) - start) });
  const isOf = (entry, { url, start }) => entry.name === url.split('#')[0] && entry.startTime >= start - 1 && !(entry.startTime > start + 1000);

  const answered = (call, status, isOpaque) => {
    const { url, start, end } = call;
    call.event = { type: 'metric', subtype: isOpaque ? 'no-cors' : 'api-call', ...callEvent(call), timestamp: now(), status: status || undefined, initiator: frames(call.stack).join('\n') || undefined,
      'total-ms': end && round(end - start), message: isOpaque ? `${call.method} ${url} answered, hidden from the page` : undefined };
    const entry = performance.getEntriesByName?.(url, 'resource').reverse().find((one) => isOf(one, call));
    if (entry || !active.timing?.[0] || open.length > 200) return complete(call, entry);
    open.push(call);
    call.timer = later(() => complete(call), 3000);
  };

  const complete = (call, entry) => {
    const { event } = call;
    clearTimeout(call.timer);
    open = open.filter((one) => one !== call);
    if (entry) {
      const { transferSize, decodedBodySize, encodedBodySize } = entry;
      assign(event, { 'total-ms': Math.max(round(entry.responseEnd - call.start), event['duration-ms']), protocol: entry.nextHopProtocol || undefined },
        (encodedBodySize || transferSize) && { size: decodedBodySize, 'transfer-size': transferSize, cached: !transferSize }, entry.requestStart > 0 && { timing: phases(entry) });
    }
    record(event);
  };

  const phases = ({ domainLookupStart, domainLookupEnd, connectStart, secureConnectionStart, connectEnd, requestStart, responseStart, responseEnd }) => {
    const span = (from, to) => round(Math.max(0, to - from));
    return {
      'dns-lookup': span(domainLookupStart, domainLookupEnd), 'tcp-connect': span(connectStart, secureConnectionStart || connectEnd),
      'tls-handshake': span(secureConnectionStart || connectEnd, connectEnd), waiting: span(requestStart, responseStart), 'server-response': span(requestStart, responseEnd),
    };
  };

  /** @param {any} error what the page got; an abort is no error */
  const failed = (call, error) => {
    const { signal, method, url } = call, name = error?.name;
    if (name === 'AbortError' || signal?.aborted && signal.reason === error && name !== 'TimeoutError') return tell('metric', 'api-call', { ...callEvent(call), aborted: true });
    fault('network', method + url + name, () => ({ ...thrown(error), ...callEvent(call), stack: [text(error), ...frames(call.stack)].join('\n') }));
  };

  const hotUpdate = (tool, files) => tell('log', 'hot-update', { level: 'info', tool, files, message: 'hot update' + (files ? ': ' + files.slice(0, 3).join(', ') : '') });

  const navigation = () => entries('navigation')[0] || {};
  const byDuration = (all) => [...all].sort((a, b) => b.duration - a.duration);
  const longTask = (entry, more) => tell('metric', 'long-task', { 'duration-ms': round(entry.duration), 'start-time': round(entry.startTime), ...more });
  const isHidden = () => document.visibilityState === 'hidden';

  const selector = (element) => {
    const steps = [];
    for (let node = element, isFixed; node?.nodeType === 1 && steps.length < 5 && !isFixed; node = node.parentElement || node.getRootNode?.().host) {
      const given = (name) => node.getAttribute(name), id = given('id'), mark = ['data-testid', 'data-test', 'name'].find(given);
      const isLasting = id && !/[:«»]|\d{3}/.test(id), twins = [...node.parentElement?.children || []].filter((child) => child.nodeName === node.nodeName);
      isFixed = isLasting || mark;
      steps.unshift(node.nodeName.toLowerCase() + (isLasting ? '#' + id : mark ? `[${mark}="${cut(given(mark), 60)}"]` : twins.length > 1 ? `:nth-of-type(${twins.indexOf(node) + 1})` : ''));
    }
    return steps.join(' > ') || undefined;
  };

  const HOLDS_TYPED = 'textarea,select,[contenteditable],[data-taillight-mask]';
  const VITALS = { LCP: [2500, 4000], INP: [200, 500], CLS: [0.1, 0.25, 1e4], FCP: [1800, 3000], TTFB: [800, 1800] };
  let isPolicyTold, isLoadTold;

  // ---- recorders: each looks whether it can work here

  const RECORDERS = {
    error() {
      const { locks } = navigator, lock = 'taillight.worker ', ended = new Promise((done) => undo.push(done));
      if (!window.document) locks?.request(lock + place().href, () => ended).catch(note);
      on(window, 'error', (event) => {
        const { target, error, filename, lineno, colno } = event;
        if (target !== window && target?.nodeType === 1) {
          const url = target.currentSrc || target.src || target.href || target.data;
          return typeof url === 'string' && url && !isLeftOut(url) && fault('resource', url, () => ({ message: `Failed to load ${target.nodeName.toLowerCase()} ${url}`, url, element: selector(target) }));
        }
        isTold(error);
        const say = () => safe(fault, 'javascript', [event.message, filename, lineno, colno], () => {
          const known = error == null ? {} : thrown(error), message = isError(error) ? known.message || known.name : String(event.message || known.message);
          return { ...known, message, location: spot(filename, lineno, colno), 'user-agent': userAgent, severity: 'high',
            hint: message === 'Script error.' ? 'the script is from another origin: add crossorigin to its tag' : undefined };
        });
        // A worker's uncaught error comes here too, without the error itself: not again where the worker tells its own.
        if (error === null && filename && locks && window.document) locks.query().then(({ held }) => held.some(({ name }) => name === lock + filename) || say(), say);
        else say();
      });
      on(window, 'unhandledrejection', ({ reason }) => {
        isTold(reason);
        fault('promise', brief(reason), () => ({ ...thrown(reason), severity: 'high' }));
      });
    },

    csp: () => on(document, 'securitypolicyviolation', ({ blockedURI: url, effectiveDirective: directive, disposition, sourceFile, lineNumber, columnNumber }) => {
      const isReport = disposition === 'report';
      if (isOwn(url)) {
        if (!isReport && !isPolicyTold) console.warn(`taillight: this page's Content-Security-Policy blocks its events. Add ${base} and ${base.replace(/^http/, 'ws')} to connect-src.`);
        isPolicyTold = true;
      } else fault('csp', directive + url, () => ({ ...isReport && { type: 'log', level: 'warn' }, directive, url,
        message: `${directive} ${isReport ? 'would block' : 'blocked'} ${url}`, location: spot(sourceFile, lineNumber, columnNumber) }));
    }),

    console() {
      const wanted = names(settings.console);
    const consoleLine = (name, level, args) => {
      const error = args.find(isError), isFault = level === 'error', make = () => ({
        type: isFault ? 'error' : 'log', level, severity: isFault ? 'medium' : 'low', ...error ? thrown(error) : name === 'trace' && { stack: ['Trace', ...frames(new Error())].join('\n') },
        message: format(args), args: args.length > 1 || typeof args[0] !== 'string' ? args : undefined,
      });
      if (isTold(error, 'console')) return;
      if (isFault || level === 'warn') fault('console', name + args.slice(0, 9).map(brief), make);
      else record({ subtype: 'console', ...make() });
    };
      for (const name of 'trace debug log info warn error assert'.split(' ')) {
        const level = { log: 'info', assert: 'error' }[name] || name;
        if (wanted.includes('all') || wanted.includes(name === 'assert' ? level : name)) replace(window.console, name, after((args) => {
          if (name !== 'assert') consoleLine(name, level, args);
          else if (!args[0]) consoleLine(name, level, ['Assertion failed:', ...args.slice(1)]);
        }));
      }
    },

    fetch() {
    const fetchCall = (input, init) => {
      const { method, signal } = tagOf(input) === 'Request' ? input : {}, given = (name) => init && own(init, name);
      return callOf(input, given('method') || method, given('body'), given('signal') || signal);
    };
      replace(window, 'fetch', (run, [, args]) => {
        const call = safe(fetchCall, ...args), promise = run();
        if (!call || typeof promise?.then !== 'function') return promise;
        // A branch beside the page's own would mark its rejection as handled; handing the value through does not.
        return promise.then((response) => {
          safe(() => {
            call.url ||= response.url;
            if (!isLeftOut(call.url)) answered(call, response.status, /^opaque/.test(response.type));
          });
          return response;
        }, (error) => {
          safe(failed, call, error);
          throw error;
        });
      });
    },

    xhr() {
      const proto = window.XMLHttpRequest?.prototype, calls = new WeakMap();
    const sendCall = (xhr, opened, body) => {
      const call = callOf(opened.url, opened.method, body);
      if (!call) return;
      let how;
      on(xhr, 'readystatechange abort error timeout loadend', ({ type }) => {
        if (calls.get(xhr) !== opened) return;
        if (type === 'loadend') {
          calls.delete(xhr);
          call.url ||= xhr.responseURL;
          call.end = tick();
          if (!how) return answered(call, xhr.status);
          call.headers = 0;
          failed(call, assign(call.stack, { name: { abort: 'AbortError', error: 'NetworkError', timeout: 'TimeoutError' }[how], message: 'XMLHttpRequest: ' + how }));
        } else if (type !== 'readystatechange') how = type;
        else if (xhr.readyState === 2) call.headers = tick();
      });
      return call;
    };
      replace(proto, 'open', after(([method, url, isAsync], result, xhr) => calls.set(xhr, { method, url, isSync: isAsync === false })));
      replace(proto, 'send', (run, [xhr, args]) => {
        const opened = calls.get(xhr), call = opened && safe(sendCall, xhr, opened, args[0]);
        try {
          return run();
        } catch (error) {
          if (call && opened.isSync) safe(failed, call, error);
          throw error;
        }
      });
    },

    timing: () => observe('resource', (entry) => {
      const call = open.find((one) => isOf(entry, one));
      if (call) complete(call, entry);
    }, { buffered: false }),

    beacon: () => replace(navigator, 'sendBeacon', after(([input, data], isTaken) => {
      const url = addressOf(input), size = typeof data === 'string' ? byteLength(data) : data?.size || data?.byteLength;
      if (isLeftOut(url)) return;
      if (isTaken) tell('metric', 'beacon', { url, size, message: 'sendBeacon ' + url });
      else tell('error', 'network', { url, size, message: `sendBeacon ${url} was refused by the browser`, severity: 'medium' });
    })),

    websocket() {
    const watchSocket = (socket, protocols) => {
      const { url } = socket;
      let since = tick(), isOpen;
      if (isLeftOut(url)) return;
      const say = (level, action, more) => tell('log', 'websocket', { level, action, url, 'duration-ms': round(tick() - since), message: `WebSocket ${action} ${url}`, ...more });
      on(socket, 'open', () => {
        say('info', 'open');
        since = tick();
        isOpen = true;
      });
      on(socket, 'close', ({ code, reason, wasClean: clean }) => {
        if (isOpen) say(clean ? 'info' : 'warn', 'close', { code, reason, clean });
        else fault('network', url, () => ({ url, code, message: 'WebSocket failed to connect to ' + url }));
      });
      if (String(protocols) === 'vite-hmr') on(socket, 'message', ({ data }) => {
        const found = !settings.hot && /"type":\s*"(update|full-reload)"/.test(data) && data.length < 1e5 && parse(data);
        if (found) hotUpdate('vite', found.updates ? found.updates.map((update) => update.path) : ['full reload']);
      });
    };
      const named = (value) => { WebSocket.prototype.constructor = value; };
      const wrapper = replace(window, 'WebSocket', (run, [args]) => {
        const socket = run();
        safe(watchSocket, socket, args[1]);
        return socket;
      }, 'construct');
      if (wrapper) named(wrapper);
      undo.push(() => named(WebSocket));
    },

    // The one entry comes as it is while the page loads, and again once it has.
    load: () => observe('navigation', (entry) => {
      if (isLoadTold || !entry.loadEventEnd) return;
      isLoadTold = true;
      const resources = entries('resource').filter((resource) => !isLeftOut(resource.name)), kinds = {}, [slowest] = byDuration(resources);
      let size = entry.transferSize || 0;
      for (const { initiatorType, transferSize = 0 } of resources) {
        kinds[initiatorType] = (kinds[initiatorType] || 0) + 1;
        size += transferSize;
      }
      tell('metric', 'page-load', { url: pageUrl(), 'navigation-type': entry.type,
        timing: { ...phases(entry), 'dom-content-loaded': round(entry.domContentLoadedEventEnd), 'fully-loaded': round(entry.loadEventEnd) },
        resources: { count: resources.length, 'total-size-kb': Math.round(size / 1024), kinds,
          slowest: slowest && { url: slowest.name, 'duration-ms': round(slowest.duration) } } });
    }),

    vitals() {
      let told, hiddenAt, lcp, isInputSeen, hasPainted, cls, shifted, sum, first, last, longest, counted, kind, lowest = Infinity, highest = 0;
      const since = (time) => Math.max(time - (navigation().activationStart || 0), 0);
      const interactions = () => performance.interactionCount || highest && (highest - lowest) / 7 + 1;

      const reset = (type) => {
        kind = type;
        told = {};
        isInputSeen = hasPainted = cls = 0;
        first = last = -Infinity;
        lcp = [];
        longest = [];
        counted = interactions();
        hiddenAt = isHidden() && !document.prerendering ? 0 : Infinity;
      };

      const say = (final, vital, exact, more) => {
        const [good, poor, scale = 1e3] = VITALS[vital], isShift = scale > 1e3, value = Math.round(exact * scale) / scale, [before, wasFinal] = told[vital] || [];
        if (exact === undefined || before === value && (wasFinal || !final) || !final && isShift && value - before < 0.01) return;
        told[vital] = [value, final];
        tell('metric', 'web-vital', { vital, 'metric-name': vital, value, unit: isShift ? undefined : 'ms',
          rating: exact > poor ? 'poor' : exact > good ? 'needs-improvement' : 'good', final, 'navigation-type': kind, ...more });
      };
      const sayPaint = (final) => say(final, 'LCP', ...lcp);
      const sayShift = (final) => drains[2] && hasPainted && say(final, 'CLS', cls, { element: selector(shifted) });
      const sayInput = (final) => {
        const { duration, element, entry } = longest[Math.min(longest.length - 1, Math.floor((interactions() - counted) / 50))] || {};
        if (!entry) return;
        const { name, startTime, processingStart, processingEnd } = entry;
        say(final, 'INP', duration, { action: name, element,
          timing: { 'input-delay': round(processingStart - startTime), processing: round(processingEnd - processingStart), presentation: round(Math.max(0, startTime + duration - processingEnd)) } });
      };

      reset(navigation().type || 'navigate');
      hiddenAt = entries('visibility-state').find(({ name, startTime }) => name === 'hidden' && startTime >= since(0))?.startTime ?? hiddenAt;

      const soon = once(() => sayInput(false));
      const drains = [observe('paint', ({ name, startTime }) => {
        if (name !== 'first-contentful-paint' || startTime >= hiddenAt) return;
        hasPainted = true;
        const { responseStart, requestStart, domainLookupStart, domainLookupEnd, connectStart, connectEnd } = navigation();
        say(true, 'FCP', since(startTime));
        if (responseStart > 0 && responseStart < tick()) say(true, 'TTFB', since(responseStart), { timing: { 'waiting-duration': since(domainLookupStart),
          'dns-duration': round(domainLookupEnd - domainLookupStart), 'connection-duration': round(connectEnd - connectStart), 'request-duration': round(responseStart - requestStart) } });
        sayShift(false);
      }), observe('largest-contentful-paint', ({ startTime, element, url }) => {
        if (isInputSeen || startTime >= hiddenAt) return;
        // Its four parts, each from where the one before ends.
        const { requestStart, startTime: begun = 0, responseEnd = 0 } = entries('resource').find((one) => one.name === url) || {};
        let end = 0;
        const part = (at) => round(-end + (end = Math.max(end, since(at))));
        const timing = { 'time-to-first-byte': part(navigation().responseStart || 0), 'resource-load-delay': part(requestStart || begun), 'resource-load-duration': part(responseEnd), 'element-render-delay': part(startTime) };
        lcp = [since(startTime), { element: selector(element), url: url || undefined, timing }];
        sayPaint(false);
      }), observe('layout-shift', ({ hadRecentInput, startTime, value, sources }) => {
        if (hadRecentInput) return;
        if (startTime - last < 1000 && startTime - first < 5000) sum += value;
        else [sum, first] = [value, startTime];
        last = startTime;
        if (sum <= cls) return;
        cls = sum;
        shifted = sources?.[0]?.node;
        sayShift(false);
      }), ...['event', 'first-input'].map((type) => observe(type, (entry) => {
        const { interactionId: id, duration, target } = entry, work = entry.processingEnd - entry.processingStart;
        if (!id) return;
        lowest = Math.min(lowest, id);
        highest = Math.max(highest, id);
        let known = longest.find((one) => one.id === id);
        if (!known) longest.push(known = { id, duration: 0, work: 0, entry });
        if (duration > known.duration || duration === known.duration && work > known.work) assign(known, { duration, work, entry });
        known.element ||= selector(target); // not every entry knows it, and none does once the page ends
        longest = byDuration(longest).slice(0, 10);
        soon(100); // its other entries come too
      }, { durationThreshold: performance.interactionCount === undefined ? 16 : 40 }))];

      const drain = () => drains.forEach((take) => take?.());
      on(window, 'keydown click', ({ isTrusted }) => {
        if (!isTrusted || isInputSeen) return;
        drain();
        sayPaint(true);
        isInputSeen = true;
      });
      on(document, 'visibilitychange', ({ timeStamp }) => {
        if (!isHidden()) return;
        drain();
        hiddenAt = Math.min(hiddenAt, timeStamp);
        sayPaint(true);
        sayShift(true);
        sayInput(true);
      });
      on(window, 'pageshow', ({ persisted, timeStamp }) => {
        if (!persisted) return;
        reset('back-forward-cache');
        isInputSeen = true; // its paints are over: the first frame after the return is what counts
        window.requestAnimationFrame(() => window.requestAnimationFrame(hook(() => {
          hasPainted = true;
          lcp = [tick() - timeStamp];
          say(true, 'FCP', ...lcp);
          sayPaint(true);
          say(true, 'TTFB', 0);
        })));
      });
    },

    tasks: () => observe('long-animation-frame', (entry) => longTask(entry, {
      'blocking-ms': round(entry.blockingDuration), 'render-ms': entry.renderStart && round(entry.startTime + entry.duration - entry.renderStart),
      scripts: byDuration(entry.scripts).slice(0, 5).map((script) => ({ url: script.sourceURL || undefined, function: script.sourceFunctionName || undefined,
        position: script.sourceCharPosition, invoker: script.invoker, 'duration-ms': round(script.duration), 'layout-ms': round(script.forcedStyleAndLayoutDuration) })),
    })) || observe('longtask', (entry) => longTask(entry)),

    user: () => on(document, 'click submit', (event) => {
      const target = event.composedPath?.()[0] || event.target, action = event.type;
      if (target?.nodeType !== 1 || target.closest('[data-taillight-ignore]')) return;
      const isSubmit = action === 'submit', element = !isSubmit && target.closest('button,a,label,summary,input,select,textarea,[role=button],[role=link],[role=tab],[role=menuitem]') || target, given = (name) => element.getAttribute(name) || undefined;
      const isTyped = isSubmit || element.closest('input,option,' + HOLDS_TYPED) || element.isContentEditable || element.childElementCount > 20 || element.querySelector(HOLDS_TYPED);
      const words = isTyped ? '' : (element.textContent || '').replace(/\s+/g, ' ').trim();
      tell('analytics', 'user-action', { action, 'element-id': given('id'), 'element-class': given('class'), 'element-text': words.length < 50 && words || undefined, element: selector(element) });
    }),

    scroll() {
      let deepest = 0;
      const look = once(() => {
        const { scrollHeight, clientHeight } = document.documentElement, depth = scrollHeight > clientHeight ? Math.floor((window.scrollY + clientHeight) / scrollHeight * 4 + 0.01) * 25 : 0;
        if (depth <= deepest) return;
        deepest = depth;
        tell('analytics', 'scroll', { depth, message: `scrolled to ${depth} %` });
      });
      on(window, 'scroll', () => look(250));
    },

    visibility: () => on(document, 'visibilitychange', () => tell('analytics', 'visibility', { visible: !isHidden() })),

    online: () => on(window, 'online offline', ({ type }) => {
      const online = type === 'online';
      tell('log', 'connectivity', { level: online ? 'info' : 'warn', online, message: 'the browser is ' + type });
      if (online) live.wake();
    }),

    navigation() {
      let from = pageUrl();
      const moved = (action) => {
        const url = pageUrl();
        if (url !== from) tell('analytics', 'navigation', { action, from, url, message: action + ' ' + place().pathname });
        from = url;
      };
      if (on(window.navigation, 'currententrychange', ({ navigationType }) => moved(navigationType || 'replace'))) return;
      for (const action of ['push', 'replace']) replace(window.history, action + 'State', after(() => moved(action)));
      on(window, 'popstate hashchange', () => moved('traverse'));
    },

    hot() {
      let wasApplied, { hot } = settings;
      hot?.on?.('vite:afterUpdate', hook(({ updates }) => hot && hotUpdate('vite', updates.map((update) => update.path))));
      hot?.addStatusHandler?.(hook((status) => {
        if (hot && wasApplied && status === 'idle') hotUpdate('webpack');
        wasApplied = status === 'apply';
      }));
      undo.push(() => { hot = null; });
      on(window, 'message', ({ data }) => !hot && /^webpackHotUpdate/.test(data) && hotUpdate('webpack'));
    },

    // Told last, so that the others have had their word. A page back from the back/forward cache holds a dead socket
    // that still says it is open.
    leaving() {
      on(window, 'pagehide', () => leave(true));
      on(document, 'visibilitychange', () => (isHidden() ? leave() : live.wake()));
      on(window, 'pageshow', ({ persisted }) => persisted && live.wake(true));
    },
  };

  const leave = (isGone) => {
    flush();
    live.leave(isGone);
  };

  // ---- what the page may call

  const install = (changed) => {
    const off = names(settings.off), { sample: rates } = settings;
    ownSample = typeof rates === 'string' ? Object.fromEntries((rates === 'document' ? 'api-call=.1,click=.01,scroll=.001' : rates).split(/[\s,]+/).map((pair) => pair.split('=')))
      : Object(rates);
    for (const name in RECORDERS) {
      const isOff = !running || off.includes(name) && name !== 'leaving';
      if (isOff || changed.includes(name)) {
        active[name]?.forEach(safe);
        active[name] = null;
      }
      if (!isOff && !active[name]) {
        undo = active[name] = [];
        safe(RECORDERS[name]);
      }
    }
    undo = null;
    hasBegun ||= running;
  };

  const flush = () => {
    if (!running) return;
    for (const call of open) complete(call);
    tellBursts();
    live.pump();
  };

  const init = (options) => {
    const given = Object(options), before = base + pageKey;
    for (const key in given) if (key in settings && given[key] !== undefined) settings[key] = given[key];
    const isRefused = isOn(settings.dnt) && (navigator.doNotTrack === '1' || window.doNotTrack === '1' || navigator.globalPrivacyControl);
    if (!settings.url || isRefused || !granted && isOn(settings.consent)) return stop();
    describe();
    if (running) {
      safe(address);
      if (before !== base + pageKey) live.wake(true);
      return install(keys(given));
    }
    running = true;
    live ||= channel(me, 0, [{ seq: 1 }]);
    live.connect();
    install([]);
  };

  const stop = () => {
    if (!running) return;
    leave(true);
    running = false;
    install([]);
    live.close();
  };

  const api = {
    init, flush, stop,
    push([name, ...args]) {
      own(calls, name)?.(...args);
    },
    log(level, message, context) {
      record({ type: 'log', level: String(level).toLowerCase(), message: text(message), context });
    },
    track(name, properties) {
      const { feature, funnel, step } = Object(properties), event = { type: 'analytics', subtype: 'custom', 'event-name': String(name) };
      const subtype = feature !== undefined ? 'feature-usage' : funnel !== undefined && step !== undefined && 'conversion';
      record(subtype ? { ...properties, ...event, subtype } : { ...event, properties });
    },
    metric(name, value, unit) {
      tell('metric', 'custom', { 'metric-name': String(name), value, unit });
    },
    error(error, context) {
      if (!isTold(error, 'own')) fault('javascript', 'own' + brief(error), () => ({ ...thrown(error), handled: true, context }));
    },
    render(component, ms, more) {
      record({ ...more, type: 'metric', subtype: 'render', component: String(component), 'render-time-ms': +ms });
    },
    setUser(id) {
      settings.user = id == null ? null : '' + id;
      if (me) describe();
    },
    setContext(context) {
      shared = context && { ...shared, ...context };
    },
    answer(name, run) {
      answers[name] ||= run;
    },
    consent(isGiven) {
      granted = isGiven !== false;
      if (!granted) settings.consent = true;
      if (granted || !running) return init();
      running = false;
      install([]);
      live.drop();
      for (const name of ['session', 'tab', 'load']) safe(() => window.sessionStorage.removeItem('taillight.' + name));
    },
  };

  const calls = { ...api };
  for (const name in api) api[name] = hook(api[name]);
  const early = window.taillight;
  safe(() => { window.taillight = Object.freeze(api); });
  api.init();
  if (Array.isArray(early)) early.forEach(api.push);
})(self);
