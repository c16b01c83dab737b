// Pages with the real client, real timers and real sockets, for tests of the network between them and taillight.
//
//   node --experimental-websocket tests/client/pages.mjs HOST:PORT TOKEN PAGES EVENTS_A_SECOND
//
// Each page logs `PAGE NUMBER` until a line comes on standard input. Every tenth of a second a line tells how many events
// they recorded and how many sockets they opened; the last line comes once everything recorded was acked.
import { createInterface } from 'node:readline';
import { makePage } from './fake.mjs';

const [address, token, pages, rate] = process.argv.slice(2);
let sockets = 0, recorded = 0, isOver = false;

const tell = (more) => console.log(JSON.stringify({ recorded, sockets, ...more }));

async function page(name) {
  let sent = 0, acked = 0;
  /** Shows the token, as a page that is not on this machine must, and sees what was acked. */
  class Socket extends WebSocket {
    constructor(url, protocols) {
      super(url, [...protocols, ...(token ? ['t.' + token] : [])]);
      sockets++;
      this.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        acked = Math.max(acked, message.acked || 0, message.t === 'ack' ? message.seq : 0);
      });
    }
    send(text) {
      const { seq, events } = JSON.parse(text);
      if (events) sent = Math.max(sent, seq + events.length - 1);
      super.send(text);
    }
  }
  const { taillight } = makePage({
    src: `http://${address}/taillight.js`,
    window: { WebSocket: Socket, setTimeout, clearTimeout, Date, performance: { now: () => performance.now() } },
  });
  const start = performance.now();
  let number = 0;
  await new Promise((done) => {
    const timer = setInterval(() => {
      for (; number < (performance.now() - start) * rate / 1000 && !isOver; number++, recorded++) taillight.log('info', `${name} ${number}`);
      if (isOver && acked >= Math.max(number, sent)) done(clearInterval(timer));
    }, 10);
  });
}

const telling = setInterval(tell, 100);
createInterface({ input: process.stdin }).once('line', () => { isOver = true; });
await Promise.all(Array.from({ length: +pages }, (_, name) => page(name)));
clearInterval(telling);
tell({ acked: true });
process.exit(0);
