// What the client costs a page, measured in headless Chromium: thread time of the page's main thread, with and
// without it.
//
//   cargo build --release && node benches/client.mjs [PATH OF taillight] [PATH OF chromium]
//
// `per event`: 10,000 events in rounds of 100, the median round timed in the page around the calls (recording, redaction,
// and the batch that the hundredth sends), and the main thread's time for all of it (acks too). `at 100 events/s`: ten
// seconds of log lines, console warnings, requests and clicks, minus the same ten seconds without the client, the two in
// turn. `bare`: the same page with nothing but a WebSocket that sends ten finished events every 100 ms and hears their
// acks, which is what the browser itself takes for that. `floor`: the same page with the least that could record it: the
// same hooks, observer, stack and listener, one JSON.stringify an event, the same batches; no redaction, no bounds, no resend,
// no vitals. `warm` is `with` once more, after three thousand events that the figure leaves out. `logs` is log lines alone,
// 100 a second, `logs floor` the same in the page of `floor`: what a request or a click costs is the mix beside these.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [program = 'target/release/taillight', chromium = 'chromium'] = process.argv.slice(2);
const SECONDS = 10, ROUNDS = 5;

/** The page's own work, the same in both pages. */
const PAGE = (tag) => `<!doctype html><title>cost</title><link rel="icon" href="data:,">${tag}<button id="save">Save changes</button><script>
  const api = window.taillight, pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const context = { 'user-id': 'user-123', from: 'loading', to: 'ready', component: 'DataTable', fields: ['email', 'name'], cart: { items: 3, total: 41.5 } };
  const log = (n) => { if (api) api.log('info', 'State transition ' + n, context); };
  window.steady = async (seconds, isMixed = true) => {
    for (const end = performance.now() + seconds * 1000, start = performance.now(), state = { n: 0 }; performance.now() < end; await pause(10)) {
      for (; state.n < (performance.now() - start) / 10; state.n++) {
        if (!isMixed) log(state.n);
        else if (state.n % 10 === 0) fetch('/ok?' + state.n).then((answer) => answer.text());
        else if (state.n % 10 === 1) console.warn('slow render', { component: 'UserList', ms: state.n });
        else if (state.n % 10 === 2) document.getElementById('save').click();
        else log(state.n);
      }
    }
  };
  window.burst = async (count) => {
    const rounds = [];
    for (let n = 0; n < count; await pause(20)) {
      const start = performance.now();
      for (let i = 0; i < 100; i++) log(n++);
      rounds.push((performance.now() - start) * 10);
    }
    return rounds.sort((a, b) => a - b)[rounds.length / 2];
  };
</script>`;

/** What stands in for the client where only the browser's part is measured. */
const BARE = (url) => `<script>
  const event = '{"type":"log","level":"info","message":"State transition 1","timestamp":1704067200000,"context":{"user-id":"user-123","from":"loading","to":"ready","component":"DataTable","fields":["email","name"],"cart":{"items":3,"total":41.5}}}';
  const socket = new WebSocket('${url}', ['taillight.v1']), events = Array(10).fill(event).join(), client = crypto.randomUUID().replaceAll('-', '');
  socket.onopen = () => socket.send(JSON.stringify({ t: 'hello', v: 1, client, session: 's', tab: 't', load: 1, page: location.href, now: Date.now(), next: 1 }));
  socket.onmessage = ({ data }) => {
    if (JSON.parse(data).t !== 'welcome') return;
    let seq = 1;
    setInterval(() => {
      socket.send('{"t":"batch","seq":' + seq + ',"events":[' + events + ']}');
      seq += 10;
    }, 100);
  };
</script>`;

/** The least that could record this page. */
const FLOOR = (url) => `<script>{
  const socket = new WebSocket('${url}', ['taillight.v1']), client = crypto.randomUUID().replaceAll('-', ''), open = [], { fetch } = window, { warn } = console;
  let texts = [], seq = 1, timer = 0, warned = 0;
  const flush = () => {
    timer = 0;
    socket.send('{"t":"batch","seq":' + seq + ',"events":[' + texts + ']}');
    seq += texts.length;
    texts = [];
  };
  const record = (event) => {
    event.timestamp = Date.now();
    texts.push(JSON.stringify(event));
    timer ||= setTimeout(flush, 100);
  };
  socket.onopen = () => socket.send(JSON.stringify({ t: 'hello', v: 1, client, session: 's', tab: 't', load: 1, page: location.href, now: Date.now(), next: 1 }));
  socket.onmessage = ({ data }) => JSON.parse(data);
  window.fetch = (url, init) => {
    const call = { url, stack: new Error(), start: performance.now() };
    return fetch(url, init).then((answer) => {
      open.push(Object.assign(call, { status: answer.status, ms: performance.now() - call.start }));
      return answer;
    });
  };
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    const call = open.shift();
    if (call) record({ type: 'metric', subtype: 'api-call', url: call.url, status: call.status, 'duration-ms': call.ms, initiator: call.stack.stack, 'perf-entry': entry });
  })).observe({ type: 'resource' });
  console.warn = (...args) => {
    warn(...args);
    if (warned++ < 5) record({ type: 'log', subtype: 'console', level: 'warn', message: args.join(' ') });
  };
  document.addEventListener('click', ({ target }) => record({ type: 'analytics', subtype: 'user-action', action: 'click', 'element-id': target.id, 'element-text': target.textContent }), true);
  window.taillight = { log: (level, message, context) => record({ type: 'log', level, message, context }) };
}</script>`;

class Chromium {
  constructor() {
    this.profile = mkdtempSync(join(tmpdir(), 'cost-'));
    this.child = spawn(chromium, ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
      '--disable-sync', '--disable-dev-shm-usage', '--remote-debugging-pipe', `--user-data-dir=${this.profile}`, 'about:blank'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.waiting = new Map();
    let text = '';
    this.child.stdio[4].on('data', (bytes) => {
      const messages = (text + bytes).split('\0');
      text = messages.pop();
      for (const message of messages.map((one) => JSON.parse(one))) this.waiting.get(message.id)?.(message);
    });
    this.next = 1;
  }

  call(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0');
    return new Promise((done, fail) => this.waiting.set(id, ({ result, error }) => (error ? fail(new Error(method + ': ' + error.message)) : done(result))));
  }

  /** Runs `expression` in a fresh page at `url`, `first` before it. @returns {Promise<{value: any, ms: number}>} its value, and the main thread's time for it */
  async run(url, expression, first) {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const evaluate = async (text) => (await this.call('Runtime.evaluate', { expression: text, awaitPromise: true, returnByValue: true }, sessionId)).result.value;
    await this.call('Performance.enable', { timeDomain: 'threadTicks' }, sessionId);
    await this.call('Page.navigate', { url }, sessionId);
    while (!(await evaluate(`document.readyState === 'complete' && location.protocol === 'http:'`)));
    if (first) await evaluate(first);
    await evaluate(`new Promise((done) => setTimeout(done, 1000))`);
    const time = async () => (await this.call('Performance.getMetrics', {}, sessionId)).metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
    const before = await time(), value = await evaluate(expression);
    const ms = await time() - before;
    await this.call('Target.closeTarget', { targetId });
    return { value, ms };
  }

  async close() {
    const ended = new Promise((done) => this.child.on('exit', done));
    await this.call('Browser.close');
    await ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const server = spawn(program, ['serve', '--port', '0'], { stdio: ['ignore', 'ignore', 'pipe'] });
const port = await new Promise((done, fail) => {
  let said = '';
  server.stderr.on('data', (text) => {
    const found = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(said += text);
    if (found) done(found[1]);
  });
  server.on('exit', () => fail(new Error(program + ' ended: ' + said)));
});
const files = {
  '/with': ['text/html', PAGE(`<script src="/taillight.js" data-url="http://127.0.0.1:${port}/" data-console="warn"></script>`)],
  '/without': ['text/html', PAGE('')],
  '/bare': ['text/html', PAGE(BARE(`ws://127.0.0.1:${port}/v1/ws`))],
  '/floor': ['text/html', PAGE(FLOOR(`ws://127.0.0.1:${port}/v1/ws`))],
  '/taillight.js': ['text/javascript', readFileSync(new URL('../assets/taillight.js', import.meta.url))],
};
const pages = createServer((request, response) => {
  const [type, text] = files[request.url] || ['application/json', '{}'];
  response.setHeader('content-type', type);
  response.end(text);
}).listen(0, '127.0.0.1');
await new Promise((done) => pages.on('listening', done));
const page = (name) => `http://localhost:${pages.address().port}/${name}`, browser = new Chromium();

try {
  const calls = [], whole = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [cost, none] = [await browser.run(page('with'), 'burst(10000)'), await browser.run(page('without'), 'burst(10000)')];
    calls.push(cost.value - none.value);
    whole.push((cost.ms - none.ms) / 10);
  }
  console.log(`per event: ${median(calls).toFixed(1)} µs in the call, ${median(whole).toFixed(1)} µs of main-thread time with sending (medians of ${ROUNDS} rounds of 10,000)`);
  const mixed = `steady(${SECONDS})`, alone = `steady(${SECONDS}, false)`;
  const runs = { with: ['with', mixed], bare: ['bare', mixed], floor: ['floor', mixed], warm: ['with', mixed, 'burst(3000)'], logs: ['with', alone], 'logs floor': ['floor', alone] };
  const shares = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    const without = {};
    for (const what of [mixed, alone]) without[what] = (await browser.run(page('without'), what)).ms;
    for (const [name, [where, what, first]] of Object.entries(runs)) shares[name].push(((await browser.run(page(where), what, first)).ms - without[what]) / SECONDS / 10);
  }
  console.log(`at 100 events/s, of the main thread (medians of ${ROUNDS} rounds of ${SECONDS} s):`);
  for (const [name, all] of Object.entries(shares)) console.log(`  ${name.padEnd(11)}${median(all).toFixed(2)} % (${all.map((share) => share.toFixed(2)).join(', ')})`);
} finally {
  await browser.close();
  server.kill();
  pages.closeAllConnections();
  pages.close();
}
