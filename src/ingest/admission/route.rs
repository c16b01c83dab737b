//! Which door of the port a request knocks at.
//!
//! [`super::admit`] decides by it who may enter, the server by what to answer. It never looks at headers.

/// The addresses of the one port (CONTRACT.md, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Route {
    /// A WebSocket, on any path; the path says which protocol is spoken.
    Socket,
    /// Events by POST.
    Events,
    /// A browser asking whether a page may post events.
    Preflight,
    /// `/taillight.js`
    Client,
    /// `/taillight.mjs`
    Module,
    /// `/taillight.js.map`
    ClientMap,
    /// `/taillight.d.ts`
    Types,
    /// `/taillight.cljs`
    Scittle,
    Demo,
    Home,
    Healthz,
    Metrics,
    NotFound,
    /// The address is there, but not for this method; holds the value of the Allow header.
    MethodNotAllowed(&'static str),
}

/// Read by GET and HEAD; any other method finds nothing there.
const FILES: [(&str, Route); 9] = [
    ("/taillight.js", Route::Client),
    ("/taillight.mjs", Route::Module),
    ("/taillight.js.map", Route::ClientMap),
    ("/taillight.d.ts", Route::Types),
    ("/taillight.cljs", Route::Scittle),
    ("/demo", Route::Demo),
    ("/", Route::Home),
    ("/healthz", Route::Healthz),
    ("/metrics", Route::Metrics),
];

impl Route {
    /// The door for `method` and `path` (without its query).
    pub fn of(method: &str, path: &str, is_upgrade: bool) -> Self {
        // RFC 6455 §4.1: the opening handshake is a GET.
        if is_upgrade && method == "GET" {
            return Self::Socket;
        }
        match (path, method) {
            ("/v1/events", "POST") => Self::Events,
            ("/v1/events", "OPTIONS") => Self::Preflight,
            ("/v1/events", _) => Self::MethodNotAllowed("POST, OPTIONS"),
            (_, "GET" | "HEAD") => {
                FILES.iter().find(|(file, _)| *file == path).map_or(Self::NotFound, |(_, route)| *route)
            }
            _ => Self::NotFound,
        }
    }

    /// Whether something comes in here, so that the origin table applies.
    pub fn writes(self) -> bool {
        matches!(self, Self::Socket | Self::Events | Self::Preflight)
    }

    /// Whether numbers about the events go out here, so that no page may ask.
    pub fn tells(self) -> bool {
        matches!(self, Self::Healthz | Self::Metrics)
    }
}
