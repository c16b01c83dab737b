// Types of taillight.mjs, and of `window.taillight` where the classic script is loaded.

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'report';

/** An event as it is about to be kept: plain JSON data, secrets already out. */
export type Event = {
  type?: 'error' | 'log' | 'metric' | 'analytics';
  subtype?: string;
  level?: Level;
  message?: string;
  severity?: 'low' | 'medium' | 'high' | 'critical';
  /** Milliseconds since 1970. */
  timestamp?: number;
  [key: string]: unknown;
};

export type Recorder =
  | 'error' | 'csp' | 'console' | 'fetch' | 'xhr' | 'timing' | 'beacon' | 'websocket' | 'load' | 'vitals' | 'tasks'
  | 'user' | 'scroll' | 'visibility' | 'online' | 'navigation' | 'hot';

/** All but `sanitize` and `hot` are attributes of the script tag too: `maxStack` is `data-max-stack`. */
export interface Options {
  /** Where taillight listens, for a copy of the client that comes from elsewhere: `http://127.0.0.1:8245/`. */
  url?: string;
  /** The page key of the printed script tag, if it is not the `k` of `url`. */
  key?: string;
  app?: string;
  build?: string;
  user?: string | null;
  /** For workers: the session and the tab of the page, from `sessionStorage['taillight.session']` and `['taillight.tab']`. */
  session?: string;
  tab?: string;
  /** Console methods to record: `'warn,error'` unless told otherwise, `'all'`, `'off'`. */
  console?: string | string[];
  /** Recorders to leave out. */
  off?: string | Recorder[];
  /** Requests whose address contains one of these are left out: `'sentry.io,/collect'`. */
  ignoreUrls?: string | string[];
  /** Characters of a message (500) and of a stack (2,000) that are kept. */
  maxMessage?: number;
  maxStack?: number;
  /** Whether `ann@example.com` becomes `ann@***`: yes. */
  maskEmail?: boolean;
  /** A batch goes out after so many milliseconds (100) or events (100). */
  batchMs?: number;
  batchEvents?: number;
  /** The share that is kept by action, subtype or type: `{'api-call': 0.1}`, `'api-call=0.1,click=0.01'`, or the table `'document'`. Errors are always kept. */
  sample?: string | Record<string, number> | null;
  /** Nothing is recorded, hooked, stored or sent before `consent(true)`. */
  consent?: boolean | string;
  /** Whether Do Not Track and Global Privacy Control switch the client off: no. */
  dnt?: boolean | string;
  /** Sees each event last, what the browser measured in `perf-entry`. What it returns is kept; nothing is where it returns null or throws. */
  sanitize?: ((event: Event) => Event | null | undefined) | null;
  /** `import.meta.hot` of Vite or `import.meta.webpackHot` of webpack: hot updates are told at their source. */
  hot?: unknown;
}

/** Starts the client, or changes its settings. */
export function init(options?: Options): void;
export function log(level: Level | string, message: unknown, context?: object): void;
/** With `feature` in the properties a feature usage, with `funnel` and `step` a conversion. */
export function track(name: string, properties?: object): void;
export function metric(name: string, value: number, unit?: string): void;
/** A handled error; nothing else has to be done for unhandled ones. */
export function error(error: unknown, context?: object): void;
/** A rendered component and how many milliseconds it took. */
export function render(component: string, ms: number, more?: object): void;
export function setUser(id: string | number | null): void;
/** Goes with every event from now on, merged; null forgets all of it. */
export function setContext(context: object | null): void;
/** Lets the console ask this page, by that name, for what `run` returns. */
export function answer(name: string, run: () => unknown): void;
/** A call by its name: `(window.taillight ||= []).push(['log', 'info', 'early'])` works before the client is there, too. */
export function push(call: [name: string, ...args: unknown[]]): void;
/** Gives consent; `false` takes it back and forgets what was not sent. */
export function consent(isGiven?: boolean): void;
/** Sends what waits, now. */
export function flush(): void;
/** Gives back what was replaced, sends what waits and closes. `init()` starts again. */
export function stop(): void;

declare global {
  /** There once the classic script has run, where it could be loaded at all: `taillight?.log(…)`. */
  var taillight: undefined | Readonly<{
    init: typeof init; log: typeof log; track: typeof track; metric: typeof metric; error: typeof error; render: typeof render; setUser: typeof setUser;
    setContext: typeof setContext; answer: typeof answer; consent: typeof consent; flush: typeof flush; stop: typeof stop;
    push: typeof push;
  }>;
}
