//! How much a thread gives way to those that a person or a page waits for.
//!
//! Called by threads of `scan`, `sinks` and `maps` as they begin. Nothing here ever makes a thread more important.

/// Lets the thread that calls this give way by so much, up to 19: setpriority(2). Linux alone counts that by thread;
/// where it is the whole program's, or not allowed, the thread is as important as all others.
pub fn give_way(niceness: i32) {
    if cfg!(target_os = "linux") {
        let _ = rustix::process::setpriority_process(None, niceness);
    }
}

/// Lets a thread go first that waits for the processor this one is on. However much a thread gives way, the system may leave
/// it there for a few milliseconds before it looks: by then others had thousands of events to take.
pub fn let_others() {
    std::thread::yield_now();
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_thread_that_asks_for_it_gives_way() {
        let nice = || rustix::process::getpriority_process(None).expect("known");
        let before = nice();
        let inside = std::thread::spawn(move || {
            give_way(19);
            nice()
        });
        assert_eq!((inside.join().expect("no panic"), nice()), (19, before));
    }
}
