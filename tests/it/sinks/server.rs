//! A small HTTP server for sinks that post: what it is sent, and what it answers.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A post as it came.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Post {
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    posts: Receiver<Post>,
    answers: Arc<Mutex<VecDeque<String>>>,
}

impl Server {
    /// Answers 200 to whatever has no answer of its own.
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        let (sender, posts) = channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let ours = Arc::clone(&answers);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sender, answers) = (sender.clone(), Arc::clone(&ours));
                std::thread::spawn(move || serve(stream, &sender, &answers));
            }
        });
        Self { address, posts, answers }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next post is answered with `status`, such as `503 Busy\r\nretry-after: 0`.
    pub(super) fn answer(&self, status: &str) {
        self.answers.lock().expect("no panic").push_back(status.to_owned());
    }

    pub(super) fn post(&self) -> Post {
        self.posts.recv_timeout(super::PATIENCE).expect("a post")
    }

    pub(super) fn try_post(&self) -> Option<Post> {
        self.posts.try_recv().ok()
    }
}

fn serve(stream: TcpStream, posts: &Sender<Post>, answers: &Mutex<VecDeque<String>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let Ok(mut out) = stream.try_clone() else { return };
    let mut reader = BufReader::new(stream);
    while let Some(post) = read(&mut reader) {
        let answer = answers.lock().expect("no panic").pop_front().unwrap_or_else(|| "200 OK".to_owned());
        if posts.send(post).is_err() {
            return;
        }
        let body = if answer.starts_with('2') { "" } else { "no, because\u{1b}[2J" };
        let _ = write!(out, "HTTP/1.1 {answer}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Post> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Post { path, headers, body })
}
