// The browser client of taillight; docs/client.md has its settings, its calls, and how it works.
(function (window) {

const document = window.document || {};
const SELF = document.currentScript?.src;
if (window.taillight?.stop) return;

const MIB2 = 2097152, STORE = 'taillight.q.', ITEMS = 100;
const LEVELS = { __proto__: null, trace: 0, debug: 1, analytics: 1, info: 2, metric: 2, warn: 3, warning: 3, error: 4, fatal: 5, report: 6 };

// Kept: the page may replace them later.
const { assign, keys, getPrototypeOf: protoOf, getOwnPropertyDescriptor: property } = Object, { parse, stringify } = JSON;
const { WebSocket, fetch, location, performance = Date, navigator = {}, setTimeout, clearTimeout, Date: { now } } = window;
const { sendBeacon, userAgent } = navigator, console = { ...window.console }, encoder = new TextEncoder();

const settings = {
	url: /\/taillight\.m?js\b/.test(SELF) ? SELF : '', // not a bundle that this is part of
	user: null, console: 'warn,error', maxMessage: 500, maxStack: 2000, maskEmail: true, batchMs: 100, batchEvents: 100,
};
assign(settings, document.currentScript?.dataset);
const isOn = (value) => value != null && !/^(false|off|no|0)$/.test(value);
const words = (list) => String(list).toLowerCase().match(/[^\s,]+/g) || [];

const counts = { filtered: 0, sampled: 0, dropped: 0, rejected: 0 }, errors = [], active = {};
let running, busy, enabled = true, granted, minLevel = 0, sample, ownSample, shared, begun, undo;
let base = '', pageKey = '', me, marks, path;

const note = (error) => errors.splice(0, errors.push(brief(error)) - 5);

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

// A getter may log.
const hook = (work) => (a, b, c) => { if (!busy) return safe(work, a, b, c); };

const later = (work, ms) => setTimeout(() => safe(work), ms);
const once = (work) => {
	let timer = 0;
	return (ms) => timer ||= ms && later(() => { timer = 0; work(); }, ms);
};
const tick = () => performance.now(), since = (start) => +(tick() - start).toFixed(3);
const bytesOf = (text) => (/[^\0-\x7f]/.test(text) ? encoder.encode(text) : text).length;

// ---- secrets

const REDACTED = '[redacted]', SECRET = /^(passw(or)?d|pwd|(client)?secret|(access|refresh|id)?token|apikey|authorization|(set)?cookie|creditcard|cardnumber|cv[vc]|privatekey|ssn)$/, known = new Map();

const judged = (key) => {
	let facts = known.get(key);
	if (!facts) {
		const name = unescape(key.slice(0, 64)).toLowerCase().replace(/[^a-z0-9]/g, '');
		if (known.size > 999) known.clear();
		known.set(key, facts = { json: stringify(cut(key, 200)) + ':', kind: SECRET.test(name) || name });
	}
	return facts;
};

const scrub = (text, key) => {
	const clean = text.replace(/\bbearer\s+[\w.~+/=-]{8,2048}/gi, 'Bearer ' + REDACTED)
		.replace(/\beyJ[\w-]{5,2048}\.[\w-]{5,2048}\.[\w-]{0,2048}/g, REDACTED)
		.replace(/(?:[?&#]|%3f|%26)([\w.%~-]{1,64}?)(?:=|%3d)/gi, (all, key) => (judged(key).kind === true ? all + '\0' : all)).replace(/\0[^&#\s"'<>]+/g, REDACTED)
		.replace(/:\/\/[^/\s?#@]{1,256}@/g, '://' + REDACTED + '@')
		.replace(/\b[2-6]\d{3}([ -]?\d){9,15}\b/g, (all) => ([...all.replace(/\D/g, '')].reverse().reduce((sum, digit, i) => sum + (digit *= 1 + i % 2) - 9 * (digit > 9), 0) % 10 ? all : REDACTED)); // Luhn's check
	return key === 'stack' || !isOn(settings.maskEmail) ? clean : clean.replace(/([\w.+%-])@[a-z][\w-]{0,62}(\.[\w-]{1,63}){0,8}\.[a-z]{2,24}\b/gi, '$1@***');
};

// ---- values as JSON

const tagOf = (value) => ({}).toString.call(value).slice(8, -1);
const isError = (value) => safe(() => value instanceof Error || /^(Error|DOMException)$/.test(tagOf(value)));

const own = (object, key) => {
	const found = property(object, key);
	return found && ('value' in found ? found.value : '[getter]');
};

const cut = (text, most) => (text.length > most ? text.slice(0, most && most - 1).replace(/[\uD800-\uDBFF]$/, '') + '…' : text);

let left, around; // characters, and the objects that are open

const encode = (value, limit, depth = 0) => {
	left = limit;
	around = [];
	return write(value, depth);
};

const quote = (text, key) => {
	const most = key === 'message' ? settings.maxMessage : key === 'stack' ? settings.maxStack : 4000;
	text = text.slice(0, Math.min(16000, most * 2));
	if (/[=@]|bearer|eyJ|[2-6]\d{3}([ -]?\d){9}/i.test(text)) text = scrub(text, key);
	text = cut(text, Math.min(most, Math.max(left, 20)));
	left -= text.length;
	return stringify(text);
};

// A proxy that was revoked throws whatever it is asked.
const write = (value, depth, inContext, key) => safe(written, value, depth, inContext, key) ?? '"[object]"';

const written = (value, depth, inContext, key) => {
	const type = typeof value;
	left -= 8;
	if (type === 'string') return quote(value, key);
	if (value === null || type === 'boolean' || Number.isFinite(value)) return '' + value;
	if (type === 'function') return quote(`[function ${own(value, 'name') || 'anonymous'}]`);
	if (type !== 'object') return quote(type === 'bigint' ? value + 'n' : String(value));
	if (around.includes(value)) return '"[circular]"';
	const isList = Array.isArray(value), tag = !isList && protoOf(value) !== Object.prototype && tagOf(value);
	const told = tag && (isError(value) ? thrown(value) : tag !== 'Object' && (value.toJSON?.() || lineOf(value, tag)));
	if (typeof told === 'string') return quote(told);
	if (depth > 5 || left <= 0) return isError(value) ? quote(text(value)) : isList ? `"[array ${value.length}]"` : '"[object]"';
	around.push(value);
	const made = isList ? list(value, depth + 1, inContext)
		: /^(Map|Set)$/.test(tag) ? `{"${tag}(${value.size})":${list(value, depth + 1, inContext)}}`
			: fields(told || value, depth + 1, inContext);
	around.pop();
	return made;
};

const lineOf = (value, tag) => {
	const { nodeName, nodeType } = value;
	if (nodeType === 1) return `<${selector(value)}>`;
	if (nodeType) return nodeName;
	if (tag === 'RegExp') return '' + value;
	if (ArrayBuffer.isView(value)) return `[${tag} ${value.byteLength} bytes]`;
	if (/Window|GlobalScope/.test(tag) || !/^(Map|Set)$/.test(tag) && !keys(value).length) return `[${tag}]`;
};

const fields = (value, depth, inContext) => {
	const all = keys(value);
	let made = '', count = 0;
	for (const key of all) {
		const item = depth < 2 ? value[key] : own(value, key);
		if (item === undefined) continue;
		const { json, kind } = judged(key);
		if (count++ === 50) return `{${made},"…":"${all.length - 50} more"}`;
		left -= key.length;
		made += (made && ',') + json + (item !== null && (kind === true || inContext && /^(phone|address)$/.test(kind)) ? `"${REDACTED}"`
			: write(kind === 'email' && isOn(settings.maskEmail) && item.replace?.(/@.+/, '@***') || item, depth, inContext || kind === 'context', key));
	}
	return `{${made}}`;
};

const list = (items, depth, inContext) => {
	let made = '', count = 0;
	for (const item of items) {
		if (count === ITEMS || left <= 0) return `[${made},"… ${(items.size ?? items.length) - count} more"]`;
		made += (count++ ? ',' : '') + write(item, depth, inContext);
	}
	return `[${made}]`;
};

const thrown = (value) => isError(value) ? { name: value.name, message: String(value.message), stack: value.stack?.replace?.(value.message, (message) => cut(message, +settings.maxMessage)), code: own(value, 'code'), cause: value.cause, errors: value.errors }
	: { message: text(value), value: typeof value === 'object' ? value : undefined };

const text = (value) => {
	if (typeof value === 'string') return value;
	if (isError(value)) return value.name + ': ' + value.message;
	const json = encode(value, 4000, 2);
	return json[0] === '"' ? parse(json) : json;
};

const format = ([first, ...rest]) => [typeof first === 'string' && rest.length ? first.slice(0, 16000).replace(/%[sdifoOc%]/g, (mark) => {
	if (mark === '%%') return '%';
	if (!rest.length) return mark;
	return ({ '%c': () => '', '%d': parseInt, '%i': parseInt, '%f': parseFloat }[mark] || String)(text(rest.shift()));
}) : text(first), ...rest.map(text)].join(' ');

// ---- who this is

const randomHex = (size) => window.crypto.getRandomValues(new Uint8Array(size)).reduce((text, byte) => text + (byte + 256).toString(16).slice(1), '');

const area = (name) => safe(() => window[name + 'Storage']) || {};

const remembered = (key, make = (before) => before || randomHex(8)) => {
	const store = area('session'), value = make(safe(() => store[key = 'taillight.' + key]));
	safe(() => { store[key] = value; });
	return value;
};

const pageUrl = () => cut(scrub(location.href), 2000);

const describe = () => {
	me ||= {
		client: randomHex(16), session: settings.session || remembered('session'), tab: settings.tab || remembered('tab'),
		load: remembered('load', (before) => (+before || 0) + !(before && window.parent !== window)), // a frame is of its page's
	};
	const { user, app, build } = settings;
	assign(me, { user, app, build, page: pageUrl() });
	path = '';
	marks = { 'session-id': me.session, 'user-id': user || undefined, app, build };
};

// ---- the channel

let acked = 0, queue = [{ seq: 1 }], flying = [], told = 0, bytes, unsent, saved, gone, socket, ready, began = Infinity, tries = 0, ever, timer, heldUntil = 0, maxBytes = 57000, asked;

const last = () => queue[queue.length - 1].seq - 1;

const add = (json, rank) => {
	const entry = assign(queue[queue.length - 1], { json, bytes: bytesOf(json), rank });
	queue.push({ seq: entry.seq + 1 });
	unsent++;
	bytes += entry.bytes;
	for (let worst; (queue.length > 5001 || bytes > MIB2) && (worst = count()); bytes -= worst.bytes) {
		queue.splice(queue.indexOf(worst), 1);
		counts.dropped++;
	}
	if (ready) goOn(rank > 1);
	else saveLater(Math.max(2000, bytes / 200));
};

const goOn = (isUrgent) => {
	if (isUrgent || unsent >= settings.batchEvents) pump();
	else if (unsent) pumpLater(+settings.batchMs || 1);
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
	if (seq > acked) acked = Math.min(seq, last());
	queue = queue.filter((entry) => entry.seq > acked);
	flying = flying.filter((frame) => frame.to > acked);
	count();
	if (saved && acked === last()) saved = forget(STORE + me.client);
};

const connect = () => {
	close();
	if (!running || !safe(address)) return;
	const mine = socket = safe(() => new WebSocket(base.replace(/^http/, 'ws') + 'v1/ws', ['taillight.v1', ...pageKey && ['k.' + pageKey]]));
	if (!mine) return lost();
	const hear = (work) => (event) => socket === mine && safe(work, event);
	describe();
	mine.onopen = hear(() => socket.send(stringify({ t: 'hello', v: 1, ...me, now: now(), next: acked + 1 })));
	mine.onmessage = hear(({ data }) => {
		const message = parse(data);
		sample = message.sample ?? sample;
		minLevel = LEVELS[message['min-level']] ?? minLevel;
		enabled = message.enabled ?? enabled;
		receivers[message.t]?.(message);
	});
	mine.onclose = hear(lost);
	timer = later(hear(lost), 10000);
};

const close = () => {
	clearTimeout(timer);
	safe(() => socket?.close());
	socket = ready = null;
};

const lost = () => {
	close();
	resend();
	if (!running) return;
	if (acked < last()) saveLater(2000);
	if (now() - began > 5000) tries = 0;
	began = Infinity;
	const probes = ++tries - (ever ? 40 : 3);
	timer = later(connect, probes < 0 ? Math.random() * Math.min(10000, 125 * 2 ** tries) : (1 + Math.random()) * Math.min(150000, 15000 * 2 ** probes));
	if (!ever && !probes) explain();
};

const resend = () => {
	flying = [];
	told = 0;
	for (const entry of queue) entry.sent = entry.beaconed = 0;
	count();
};

const pumpLater = once(() => pump()), saveLater = once(() => ready || save());
const watch = once(() => {
	const wait = flying[0]?.at + 60000 - now();
	if (wait > 0) watch(wait);
	else if (wait <= 0) lost();
});

const batch = (run) => `{"t":"batch","seq":${run[0].seq},"events":[${run.map((entry) => entry.json)}]}`;
const gap = (from, to) => stringify({ t: 'gap', from, to, count: to - from + 1, reason: 'buffer-full' });
const signed = (who, frame) => who.slice(0, -1) + ',' + frame.slice(1);

// Batches of those that fit, and what is missing between all.
const runs = (list, fits, take, miss) => {
	for (let at = 0, next = acked + 1; at < list.length;) {
		const first = list[at++], run = [first];
		let size = first.bytes;
		if (first.seq > next) miss?.(next, first.seq - 1);
		next = first.seq + 1;
		if (!first.json || !fits(first)) continue;
		for (let entry; (entry = list[at]).json && run.length < settings.batchEvents && entry.seq === next && fits(entry) && (size += entry.bytes + 1) < maxBytes; at++, next++) run.push(entry);
		if (take(run)) return;
	}
};

const pump = (isLeaving) => {
	const hold = !isLeaving && heldUntil - now();
	if (ready && hold > 0) pumpLater(hold);
	else if (ready) runs(queue, (entry) => !entry.sent, (run) => {
		if (flying.length > 3 && !isLeaving) return true;
		socket.send(batch(run));
		flying.push({ to: run[0].seq + run.length - 1, at: now() });
		for (const entry of run) entry.sent = 1;
		unsent -= run.length;
		watch(60000);
	}, (from, to) => {
		if (to > told) socket.send(gap(Math.max(from, told + 1), told = to));
	});
};

const receivers = {
	__proto__: null,
	welcome(message) {
		clearTimeout(timer);
		if (message['max-bytes'] > 1024) maxBytes = Math.min(maxBytes, message['max-bytes'] - 64);
		ready = ever = true;
		began = now();
		heldUntil = 0;
		settle(message.acked);
		pump();
		recover().catch(note);
	},
	ack(message) {
		settle(message.seq);
		goOn();
	},
	nack(message) {
		counts.rejected += message.rejected.length;
	},
	throttle(message) {
		heldUntil = now() + Math.min(message.ms, 60000);
		resend();
		pump();
	},
	error(message) {
		note(`server: ${message.code} ${message.message}`);
	},
	request({ id, kind }) {
		const mine = socket, run = answers[kind], reply = (data) => mine.send(encode({ t: 'reply', id, data }, 40000));
		if (asked || !run) return reply({ error: asked ? 'busy' : 'unknown kind' });
		console.debug(`taillight: ${base} asked for "${kind}"`);
		const fail = (error) => end({ error: text(error) }), turn = asked = later(() => fail('no answer in 10 s'), 10000), end = (data) => {
			if (asked !== turn) return;
			asked = clearTimeout(turn);
			safe(reply, data);
		};
		try {
			const data = run();
			data?.then ? data.then(end, fail) : end(data);
		} catch (error) {
			fail(error);
		}
	},
};

const beacon = () => {
	let room = 60000; // all beacons share 64 KiB
	if (sendBeacon && base) for (const rank of [2, 0]) {
		runs(queue, (entry) => !entry.beaconed && entry.rank >= rank, (run) => {
			const data = signed(stringify(me), batch(run)), size = bytesOf(data);
			if (size > room || !sendBeacon.call(navigator, door(), data)) return true;
			room -= size;
			for (const entry of run) entry.beaconed = 1;
		});
	}
};

const leave = (isEnd) => {
	flush();
	gone ||= isEnd;
	pump(isEnd);
	beacon();
	if (gone || !ready) save();
};

const wake = (isNew) => {
	gone = false;
	for (const entry of queue) entry.beaconed = 0;
	if (isNew) resend();
	if (isNew || !socket) connect();
};

const address = () => {
	const url = new URL(settings.url, document.baseURI);
	base = new URL('.', url).href;
	pageKey = settings.key || url.searchParams.get('k') || '';
	return /^http/.test(base);
};
const door = () => base + 'v1/events' + (pageKey && '?k=' + pageKey);

// The origin may be the app's.
const isOwn = (url) => base && ['v1/', 'taillight.'].some((part) => url.replace(/^ws/, 'http').startsWith(base + part));

const ignored = (url) => isOwn(url) || settings.ignoreUrls && words(settings.ignoreUrls).some((part) => url.toLowerCase().includes(part));

const explain = () => fetch(base + 'taillight.js', { mode: 'no-cors', cache: 'no-store' }).then(() =>
	console.warn(`taillight: ${base} refuses this page: use the tag it prints or --allow-origin ${location.origin}`)).catch(note);

// ---- what outlives the document

const stored = (local) => keys(local).filter((key) => key.startsWith(STORE));
const forget = (key) => delete area('local')[key];

const save = () => {
	const local = area('local'), key = STORE + me.client;
	if (acked === last()) return;
	let room = MIB2;
	for (const one of stored(local)) room -= one !== key && local[one].length;
	const kept = queue.slice(0, -1).sort((a, b) => b.rank - a.rank || b.seq - a.seq).filter((entry) => (room -= entry.bytes + 1) > 0);
	for (;; kept.length >>= 1) {
		const lines = [gone ? 0 : now() + 60000, stringify(me)], chosen = new Set(kept);
		runs(queue.filter((entry) => !entry.json || chosen.has(entry)), () => true, (run) => { lines.push(batch(run)); }, (from, to) => lines.push(gap(from, to)));
		saved = safe(() => local[key] = lines.join('\n'));
		if (saved || !kept.length) return;
	}
};

const recover = async () => {
	const local = area('local');
	for (const key of stored(local)) {
		const [until, who, ...frames] = local[key].split('\n');
		if (key === STORE + me.client || until > now()) continue;
		for (const frame of frames) {
			const { status } = await fetch(door(), { method: 'POST', body: signed(who, frame) });
			if (!running || !/202|400/.test(status)) return;
		}
		forget(key);
	}
};

// ---- recording

const rateOf = (event, rates) => rates?.[event.action] ?? rates?.[event.subtype] ?? rates?.[event.type];

const record = (event) => {
	if (!running || !enabled) return;
	const level = LEVELS[event.type] ?? LEVELS[event.level] ?? 2, isUrgent = level > 3 && level < 6 || /^(high|critical)$/.test(event.severity), rate = isUrgent ? 1 : +(rateOf(event, sample) ?? rateOf(event, ownSample) ?? 1);
	if (level < minLevel) return void counts.filtered++;
	if (rate < 1 && Math.random() >= rate) return void counts.sampled++;
	if (!path || !active.navigation) marks.page = path = location.pathname;
	event = assign({ timestamp: now() }, marks, event);
	if (shared) event.context = { ...shared, ...event.context };
	if (rate < 1) event.sampled = rate;
	let json = encode(event, 32000);
	if (settings.sanitize?.call) {
		const kept = safe(settings.sanitize, parse(json));
		json = encode(kept, 32000);
	}
	if (json[0] === '{') add(json, isUrgent ? 2 : level < 2 ? 0 : 1);
	else counts.filtered++;
};

const tell = (type, subtype, more) => record({ type, subtype, ...more });

const tellers = new WeakMap();

const isTold = (error, by) => {
	if (!isError(error)) return;
	if (!tellers.has(error)) tellers.set(error, by);
	return tellers.get(error) !== by;
};

const bursts = new Map(), tellLater = once(() => tellBursts());

const fault = (subtype, key, make) => {
	const burst = bursts.get(key = subtype + key) || { seen: 0, count: 0 };
	if (bursts.size < 200) bursts.set(key, burst);
	tellLater(1000);
	if (burst.seen++ < 5) return record(burst.event = { type: 'error', subtype, severity: 'medium', ...make() });
	burst.last = now();
	if (!burst.count++) burst.first = burst.last;
};

const tellBursts = () => {
	for (const [key, burst] of bursts) {
		const { count } = burst;
		burst.count = 0;
		if (count) record({ ...burst.event, count, first: burst.first, timestamp: burst.last });
		else bursts.delete(key);
	}
	if (bursts.size) tellLater(1000);
};

// ---- what the server may ask

const facts = (object) => {
	const found = {};
	for (const name in object) if (Object(object[name]) !== object[name]) found[name] = object[name];
	return object && found;
};
const timings = (type) => performance.getEntriesByType?.(type) || [];

const names = (name) => keys(area(name)).filter((key) => !key.startsWith(STORE));
const answers = {
	__proto__: null,
	ping: () => ({ now: now() }),
	flush() {
		flush();
		return { buffered: queue.length - 1 };
	},
	perf: () => ({ 'up-ms': since(0), navigation: navigation(), resources: timings('resource').length, requests: open.size, memory: facts(performance.memory) }),
	'dom-stats': () => ({ state: document.readyState, elements: document.querySelectorAll('*').length, forms: document.forms?.length, images: document.images?.length, links: document.links?.length, scripts: document.scripts?.length }),
	diagnostics: () => ({
		recorded: last(), acked, buffered: queue.length - 1, ...counts, url: pageUrl(), title: document.title, viewport: { width: window.innerWidth, height: window.innerHeight }, language: navigator.language, 'user-agent': userAgent, ...safe(answers.perf), dom: safe(answers['dom-stats']), connection: facts(navigator.connection),
		storage: { local: names('local'), session: names('session') }, errors,
	}),
};

// ---- how recorders get at the page

const on = (target, types, work) => {
	const hooked = hook(work);
	if (target?.addEventListener) return words(types).map((type) => {
		target.addEventListener(type, hooked, true);
		undo?.push(() => target.removeEventListener(type, hooked, true));
	});
};

// A Proxy keeps name, length and text.
const replace = (owner, name, around, trap = 'apply') => {
	while (owner && !own(owner, name)) owner = protoOf(owner);
	const before = owner && own(owner, name), call = Reflect[trap];
	if (!before?.call) return;
	let isAlive = true;
	const put = (value) => {
		owner[name] = value;
		if (before.prototype) before.prototype.constructor = value;
	}, wrapper = new Proxy(before, { [trap](target, self, args) {
		const run = () => call(target, self, args);
		return isAlive && !busy ? around(run, self, args) : run();
	} });
	undo.push(() => {
		isAlive = false;
		if (owner[name] === wrapper) put(before);
	});
	put(wrapper);
};

const after = (work) => (run, self, args) => {
	const result = run();
	safe(work, args, result, self);
	return result;
};

const observe = (type, work) => {
	const Observer = window.PerformanceObserver;
	if (!Observer.supportedEntryTypes.includes(type)) return;
	const each = (list) => { for (const entry of list) safe(work, entry); }, observer = new Observer((list) => each(list.getEntries()));
	observer.observe({ type, buffered: !begun, durationThreshold: 40 });
	undo.push(() => observer.disconnect());
	return () => each(observer.takeRecords());
};

const spot = (url, line, column) => url ? { url, line, column } : undefined;

const brief = (value) => (isError(value) ? text(value) : typeof value === 'object' ? '{}' : String(value)).slice(0, 200);

// ---- requests

const open = new Set(); // wait for their answer, then for their entry

const addressOf = (input) => {
	const url = typeof input === 'string' ? input : /^(URL|Request|Location)$/.test(tagOf(input)) ? input.url || input.href : '';
	return url && safe(() => new URL(url, document.baseURI || location.href).href) || url;
};

const callOf = (input, method, body, signal) => {
	const url = addressOf(input);
	if (ignored(url)) return;
	const call = { url, method: String(method || 'GET').toUpperCase(), start: tick(), stack: new Error(), operation: operationOf(body), signal };
	if (open.size < 200) open.add(call);
	return call;
};

const operationOf = (body) => {
	if (typeof body !== 'string' || body.length > 200000 || !/"query"\s*:|"persistedQuery"/.test(body)) return;
	const [, kind, first] = /"query"\s*:\s*"[^{"]{0,200}?\b(query|mutation|subscription)\s+(\w{1,100})/.exec(body) || [];
	const [, name = first] = /"operationName"\s*:\s*"(\w{1,100})"/.exec(body) || [];
	return kind ? kind + ' ' + name : name;
};

const callEvent = (call) => ({ url: call.url, method: call.method, operation: call.operation, 'duration-ms': call.ms ?? since(call.start) });
// Browsers differ in whether the name has the fragment.
const isOf = (entry, call) => entry.startTime > call.start - 1 && entry.startTime < call.start + 1000 && (entry.name === call.url || entry.name === call.url.split('#')[0]);

const answered = (call, status, kind) => {
	if (call.event) return;
	call.event = { type: 'metric', subtype: /^opaque/.test(kind) ? 'no-cors' : 'api-call', ...callEvent(call), timestamp: now(), status: status || undefined, initiator: call.stack.stack, 'total-ms': call.total };
	open.add(call);
	// The entry comes with the end of the body, which pages often leave unread then.
	if (status > 399) later(() => complete(call), 300);
	else if (active.timing?.[0] && open.size < 200) sweep(3000);
	else complete(call);
};

const complete = (call, entry = performance.getEntriesByName(call.url, 'resource').find((one) => isOf(one, call)) || {}) => call.event && open.delete(call) && record({ ...call.event, 'perf-entry': entry });

const sweep = once(() => {
	for (const call of open) if (now() - call.event?.timestamp < 3000) sweep(3000);
	else complete(call);
});

const aborted = (call) => {
	call.event = open.delete(call); // whatever comes of it now
	tell('metric', 'api-call', { ...callEvent(call), aborted: true });
};

const failed = (call, error) => {
	const name = error?.name;
	if (call.event) return;
	if (name === 'AbortError' || call.signal?.aborted && call.signal.reason === error && name !== 'TimeoutError') return aborted(call);
	open.delete(call);
	fault('network', call.method + call.url + name, () => ({ ...thrown(error), ...callEvent(call), stack: call.stack.stack?.replace?.(/^Error/, () => text(error)) }));
};

const notBuilt = (error) => fault('compile', error.message, () => ({ message: error.message, location: { url: error.id, ...error.loc } }));

const hotUpdate = (tool, updates) => tell('log', 'hot-update', { tool, files: updates?.map((update) => update.path) });

const navigation = () => timings('navigation')[0] || {};
const isHidden = () => document.visibilityState === 'hidden';

const selector = (element) => {
	const steps = [];
	for (let node = element, isFixed; !isFixed && node?.nodeType === 1 && steps.length < 5; node = node.parentElement || node.getRootNode().host) {
		const given = (name) => node.getAttribute(name), id = given('id'), isLasting = id && !/[:«»]|\d{3}/.test(id), mark = !isLasting && ['data-testid', 'data-test', 'name'].find(given);
		isFixed = isLasting || mark;
		let nth = 1;
		for (let twin = node; nth < 1000 && (twin = twin.previousElementSibling);) nth += twin.nodeName === node.nodeName;
		steps.unshift(node.nodeName.toLowerCase() + (isLasting ? '#' + id : mark ? `[${mark}="${cut(given(mark), 60)}"]` : nth < 1000 && !node.matches(':only-of-type') ? `:nth-of-type(${nth})` : ''));
	}
	return steps.join(' > ') || undefined;
};

// As the element's own method, also outside of what shadow roots hold.
const closest = (element, what) => element && (element.closest(what) || closest(element.getRootNode().host, what));

const TYPED = 'textarea,select,[contenteditable],[role=textbox],[data-taillight-mask]';
let toldLoad;

// ---- recorders

const RECORDERS = {
	error() {
		const { locks } = navigator, lock = 'taillight.worker ', ended = new Promise((done) => undo.push(done));
		if (!window.document) locks?.request(lock + location.href, () => ended).catch(note);
		on(window, 'error', ({ target, error, message: said, filename, lineno, colno }) => {
			if (target?.nodeType === 1) {
				const url = target.currentSrc || target.src || target.href?.baseVal || target.href || target.data;
				return url?.length > 0 && !ignored(url) && fault('resource', url, () => ({ url, element: selector(target) }));
			}
			isTold(error);
			const say = () => safe(fault, 'javascript', [said, filename, lineno, colno], () => (
				{ ...thrown(error ?? said), ...isError(error) || { message: said }, location: spot(filename, lineno, colno), severity: 'high', 'user-agent': userAgent }));
			// A worker tells its own.
			if (error === null && filename && locks && window.document) locks.query().then(({ held }) => held.some((one) => one.name === lock + filename) || say(), say);
			else say();
		});
		on(window, 'unhandledrejection', ({ reason }) => {
			isTold(reason);
			fault('promise', brief(reason), () => ({ ...thrown(reason), severity: 'high' }));
		});
	},

	csp: () => on(document, 'securitypolicyviolation', (event) => {
		const { blockedURI: url, effectiveDirective: directive } = event;
		if (!isOwn(url)) fault('csp', directive + url, () => ({ ...event.disposition === 'report' && { type: 'log', level: 'warn' }, directive, url, location: spot(event.sourceFile, event.lineNumber, event.columnNumber) }));
	}),

	console() {
		const wanted = words(settings.console);
		for (const name of words('trace debug log info warn error assert')) {
			const isCheck = name === 'assert', level = isCheck ? 'error' : name === 'log' ? 'info' : name;
			if (wanted.includes('all') || wanted.includes(isCheck ? level : name)) replace(window.console, name, after((args) => {
				if (isCheck && args.splice(0, 1, 'Assertion failed:')[0]) return;
				const error = args.find(isError), make = () => ({
					level, ...level !== 'error' && { type: 'log', severity: 'low' }, ...error ? thrown(error) : name === 'trace' && { stack: new Error().stack?.replace?.(/^Error/, 'Trace') },
					message: format(args), args: args.length > 1 || typeof args[0] !== 'string' ? args : undefined,
				});
				if (isTold(error, 'console')) return;
				if (LEVELS[level] > 2) fault('console', name + args.slice(0, 9).map(brief), make);
				else tell('log', 'console', make());
			}));
		}
	},

	fetch() {
		const begin = (input, init) => {
			const isRequest = tagOf(input) === 'Request', given = (name) => init && own(init, name) || isRequest && name !== 'body' && input[name];
			return callOf(input, given('method'), given('body'), given('signal'));
		};
		replace(window, 'fetch', (run, self, [input, init]) => {
			const call = safe(begin, input, init), promise = run();
			if (!call || !promise?.then) return promise;
			// Beside the page's own chain it would mark a rejection as handled.
			return promise.then((response) => {
				safe(() => {
					call.url ||= response.url;
					if (!ignored(call.url)) answered(call, response.status, response.type);
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
		const begin = (xhr, opened, body) => {
			const [method, url] = opened, call = callOf(url, method, body);
			if (call) on(xhr, 'readystatechange load abort error timeout', ({ type }) => {
				if (calls.get(xhr) !== opened) return;
				call.total = since(call.start);
				if (xhr.readyState === 2) call.ms = call.total;
				// The page may open it anew when it hears that it is loaded, which is later.
				if (type === 'readystatechange' && !(xhr.readyState > 3 && xhr.status)) return;
				calls.delete(xhr);
				call.url ||= xhr.responseURL;
				if (xhr.status) return answered(call, xhr.status);
				call.ms = null;
				failed(call, assign(call.stack, { name: { abort: 'AbortError', error: 'NetworkError', timeout: 'TimeoutError' }[type], message: 'XMLHttpRequest: ' + type }));
			});
			return call;
		};
		replace(proto, 'open', after((args, result, xhr) => calls.set(xhr, args)));
		replace(proto, 'send', (run, xhr, args) => {
			const opened = calls.get(xhr), call = opened && safe(begin, xhr, opened, args[0]);
			try {
				return run();
			} catch (error) {
				if (call && opened[2] === false) safe(failed, call, error);
				throw error;
			}
		});
	},

	timing: () => observe('resource', (entry) => {
		for (const call of open) if (call.event && isOf(entry, call)) return complete(call, entry);
	}),

	beacon: () => replace(navigator, 'sendBeacon', after(([input, data], isTaken) => {
		const url = addressOf(input), size = typeof data === 'string' ? bytesOf(data) : data?.size ?? data?.byteLength;
		if (ignored(url)) return;
		if (isTaken) tell('metric', 'beacon', { url, size });
		else fault('network', url, () => ({ url, size }));
	})),

	websocket: () => replace(window, 'WebSocket', after((target, socket, [, protocols]) => {
		const { url } = socket;
		let start = tick(), isOpen;
		if (ignored(url)) return;
		const say = (level, action, more) => tell('log', 'websocket', { level, action, url, 'duration-ms': since(start), ...more });
		on(socket, 'open', () => {
			say('info', 'open');
			start = tick();
			isOpen = true;
		});
		on(socket, 'close', ({ code, reason, wasClean: clean }) => {
			if (isOpen) say(clean ? 'info' : 'warn', 'close', { code, reason, clean });
			else fault('network', url, () => ({ url, code }));
		});
		if (String(protocols) === 'vite-hmr') on(socket, 'message', ({ data }) => {
			const found = !settings.hot && /"type":\s*"(update|full-reload|error)"/.test(data) && data.length < 1e5 && parse(data);
			if (found.err) notBuilt(found.err);
			else if (found) hotUpdate('vite', found.updates || [{ path: 'full reload' }]);
		});
	}), 'construct'),

	load: () => observe('navigation', (entry) => {
		if (toldLoad || !entry.loadEventEnd) return;
		toldLoad = true;
		const all = timings('resource').filter((entry) => !ignored(entry.name)).sort((a, b) => b.duration - a.duration), kinds = {};
		let bytes = 0;
		for (const { initiatorType, transferSize = 0 } of all) {
			kinds[initiatorType] = (kinds[initiatorType] || 0) + 1;
			bytes += transferSize;
		}
		tell('metric', 'page-load', { url: pageUrl(), resources: { count: all.length, bytes, kinds, slowest: all[0] }, 'perf-entry': entry });
	}),

	vitals() {
		let told, lcp, isInputSeen, isPainted, cls, shifted, sum, first, last, longest, counted, kind;
		let hiddenAt = timings('visibility-state').find((entry) => entry.name === 'hidden' && entry.startTime >= (navigation().activationStart || 0))?.startTime ?? (isHidden() && !document.prerendering ? 0 : Infinity);

		const reset = (type) => {
			kind = type;
			told = {};
			isInputSeen = isPainted = cls = 0;
			first = last = -Infinity;
			lcp = [];
			longest = [];
			counted = performance.interactionCount;
		};

		const say = (final, vital, value, element, ...entries) => {
			const key = vital + final;
			if (value === undefined || Math.abs(told[key] - value) <= (final ? 0 : 0.01)) return;
			told[key] = value;
			tell('metric', 'web-vital', { vital, value, final, 'navigation-type': kind, element, 'perf-entry': entries });
		};
		const sayPaint = (final) => say(final, 'LCP', ...lcp);
		const sayShift = (final) => drains[2] && isPainted && say(final, 'CLS', cls, selector(shifted));
		const sayInput = (final) => {
			const { element, entry } = longest[Math.min(longest.length - 1, ~~((performance.interactionCount - counted) / 50))] || {};
			say(final, 'INP', entry?.duration, element, entry);
		};

		reset(navigation().type || 'navigate');

		const soon = once(() => sayInput(false));
		const drains = [observe('paint', (entry) => {
			const { startTime } = entry;
			if (entry.name !== 'first-contentful-paint' || startTime >= hiddenAt) return;
			isPainted = true;
			const from = navigation(), { responseStart } = from;
			say(true, 'FCP', startTime, undefined, from);
			if (responseStart > 0 && responseStart < tick()) say(true, 'TTFB', responseStart, undefined, from);
			sayShift(false);
		}), observe('largest-contentful-paint', (entry) => {
			const { startTime } = entry;
			if (isInputSeen || startTime >= hiddenAt) return;
			lcp = [startTime, selector(entry.element), navigation(), entry, timings('resource').find((one) => one.name === entry.url) || 0];
			sayPaint(false);
		}), observe('layout-shift', (entry) => {
			const { startTime, value } = entry;
			if (entry.hadRecentInput) return;
			if (startTime - last < 1000 && startTime - first < 5000) sum += value;
			else {
				sum = value;
				first = startTime;
			}
			last = startTime;
			if (sum <= cls) return;
			cls = sum;
			shifted = entry.sources?.[0]?.node;
			sayShift(false);
		}), ...['event', 'first-input'].map((type) => observe(type, (entry) => {
			const id = entry.interactionId, weight = entry.duration + (entry.processingEnd - entry.processingStart) / 1e6;
			if (!id) return;
			let known = longest.find((one) => one.id === id);
			if (!known) longest.push(known = { id, weight: 0 });
			if (weight > known.weight) assign(known, { weight, entry });
			known.element ||= selector(entry.target);
			longest = longest.sort((a, b) => b.weight - a.weight).slice(0, 10);
			soon(100);
		}))];

		const drain = () => drains.forEach((take) => take?.());
		on(window, 'keydown click', (event) => {
			if (!event.isTrusted || isInputSeen) return;
			drain();
			sayPaint(true);
			isInputSeen = true;
		});
		on(document, 'visibilitychange', (event) => {
			if (!isHidden()) return;
			drain();
			hiddenAt = Math.min(hiddenAt, event.timeStamp);
			sayPaint(true);
			sayShift(true);
			sayInput(true);
		});
		on(window, 'pageshow', (event) => {
			if (!event.persisted) return;
			reset('back-forward-cache');
			isInputSeen = true;
			window.requestAnimationFrame(() => window.requestAnimationFrame(hook(() => {
				isPainted = true;
				lcp = [tick() - event.timeStamp];
				say(true, 'FCP', ...lcp);
				sayPaint(true);
				say(true, 'TTFB', 0);
			})));
		});
	},

	tasks() {
		const work = (entry) => tell('metric', 'long-task', { 'perf-entry': entry });
		return observe('long-animation-frame', work) || observe('longtask', work);
	},

	user: () => on(document, 'click submit', (event) => {
		const target = event.composedPath()[0], action = event.type;
		if (target.nodeType !== 1 || closest(target, '[data-taillight-ignore]')) return;
		const isSubmit = action === 'submit', element = !isSubmit && target.closest('a,button,label,summary,input,[role=button],[role=link],[role=tab],[role=menuitem],' + TYPED) || target, given = (name) => element.getAttribute(name) || undefined;
		const isTyped = isSubmit || closest(element, 'input,option,' + TYPED) || element.childElementCount > 20 || element.querySelector(TYPED) || closest(document.activeElement, TYPED); // an editor's lines stand beside what it types in
		const text = isTyped ? '' : element.textContent.replace(/\s+/g, ' ').trim();
		tell('analytics', 'user-action', { action, 'element-id': given('id'), 'element-class': given('class'), 'element-text': text.length < 50 && text || undefined, element: selector(element) });
	}),

	scroll() {
		let deepest = 0;
		const look = once(() => {
			const { scrollHeight, clientHeight } = document.documentElement, depth = scrollHeight > clientHeight ? Math.floor((window.scrollY + clientHeight) / scrollHeight * 4 + 0.01) * 25 : 0;
			if (depth > deepest) tell('analytics', 'scroll', { depth: deepest = depth });
		});
		on(window, 'scroll', () => look(250));
	},

	visibility: () => on(document, 'visibilitychange', () => tell('analytics', 'visibility', { visible: !isHidden() })),

	online: () => on(window, 'online offline', (event) => {
		const online = event.type === 'online';
		tell('log', 'connectivity', { level: online ? 'info' : 'warn', online });
		if (online) wake();
	}),

	navigation() {
		let from = pageUrl();
		const moved = (action) => {
			const url = pageUrl();
			path = '';
			if (url !== from) tell('analytics', 'navigation', { action, from, url });
			from = url;
		};
		if (on(window.navigation, 'currententrychange', (event) => moved(event.navigationType || 'replace'))) return;
		for (const action of words('push replace')) replace(window.history, action + 'State', after(() => moved(action)));
		on(window, 'popstate hashchange', () => moved('traverse'));
	},

	hot() {
		let before, { hot } = settings;
		hot?.on?.('vite:afterUpdate', hook((event) => hot && hotUpdate('vite', event.updates)));
		hot?.on?.('vite:error', hook((event) => hot && notBuilt(event.err)));
		hot?.addStatusHandler?.(hook((status) => {
			if (hot && before === 'apply' && status === 'idle') hotUpdate('webpack');
			before = status;
		}));
		undo.push(() => { hot = null; });
		on(window, 'message', (event) => !hot && /^webpackHotUpdate/.test(event.data) && hotUpdate('webpack'));
	},

	// The last to hear of it.
	leaving() {
		on(window, 'pagehide', (event) => {
			// The browser ends them with the page, and may yet tell it so.
			for (const call of open) call.event || aborted(call);
			leave(true);
			// A page that the browser keeps for "back" would hold its connection, and read as one more tab.
			if (event.persisted) close();
		});
		on(document, 'visibilitychange', () => (isHidden() ? leave() : wake()));
		on(window, 'pageshow', (event) => event.persisted && wake(true));
	},
};

// ---- what the page may call

const install = (changed) => {
	const off = words(settings.off), { sample: rates } = settings;
	ownSample = typeof rates === 'string' ? Object.fromEntries(words(rates === 'document' ? 'api-call=.1,click=.01,scroll=.001' : rates).map((pair) => pair.split('='))) : rates;
	for (const name in RECORDERS) {
		const isOff = !running || off.includes(name);
		if (isOff || name in Object(changed)) {
			active[name]?.forEach(safe);
			active[name] = null;
		}
		if (isOff || active[name]) continue;
		undo = active[name] = [];
		safe(RECORDERS[name]);
	}
	undo = null;
	begun ||= running;
};

const flush = () => {
	if (!running) return;
	for (const call of open) complete(call);
	tellBursts();
	pump();
};

const init = (options) => {
	const before = base + pageKey;
	for (const key in options) if (options[key] !== undefined) settings[key] = options[key];
	if (!settings.url || !granted && isOn(settings.consent) || isOn(settings.dnt) && (navigator.doNotTrack > 0 || navigator.globalPrivacyControl)) return stop();
	describe();
	if (running) {
		safe(address);
		if (before !== base + pageKey) wake(true);
		return install(options);
	}
	running = true;
	resend();
	connect();
	install();
};

const stop = () => {
	if (!running) return;
	leave(true);
	running = false;
	install();
	close();
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
		const { feature, funnel, step } = Object(properties), subtype = feature != null ? 'feature-usage' : funnel != null && step != null && 'conversion';
		record({ ...subtype ? properties : { properties }, type: 'analytics', subtype: subtype || 'custom', 'event-name': name });
	},
	metric(name, value, unit) {
		tell('metric', 'custom', { 'metric-name': name, value, unit });
	},
	error(error, context) {
		if (!isTold(error, 'own')) fault('javascript', 'own' + brief(error), () => ({ ...thrown(error), handled: true, context }));
	},
	render(component, ms, more) {
		tell('metric', 'render', { ...more, component, 'render-time-ms': +ms });
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
		settings.consent = true;
		if (granted || !running) return init();
		running = false;
		install();
		close();
		counts.dropped += queue.length - 1;
		settle(last());
		for (const name of words('session tab load')) delete area('session')['taillight.' + name];
	},
};

const calls = { ...api };
for (const name in api) api[name] = hook(api[name]);
const early = window.taillight;
safe(() => { window.taillight = Object.freeze(api); });
api.init();
early?.forEach?.(api.push);
})(self);
