//! Downloading from a symbol server: a real one, on this machine.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use winvmi::{Error, core::Progress, symbols::Store};

use crate::{
    pdb::{id, sample},
    support::Folder,
};

/// Answers requests for the sample's path with `body`, others with 404; tells
/// how many came.
fn serve(body: Vec<u8>) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/symbols", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&requests);
    thread::spawn(move || {
        for stream in listener.incoming() {
            count.fetch_add(1, Ordering::Relaxed);
            answer(stream.unwrap(), &body);
        }
    });
    (address, requests)
}

fn answer(mut stream: TcpStream, body: &[u8]) {
    let mut request = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    reader.read_line(&mut request).unwrap();
    let mut header = String::new();
    while reader.read_line(&mut header).unwrap() > 2 {
        header.clear();
    }
    let path = format!("/symbols/sample.pdb/{}/sample.pdb ", id().signature());
    let known = request.to_lowercase().contains(&path.to_lowercase());
    let (status, body) = match known {
        true => ("200 OK", body),
        false => ("404 Not Found", &b""[..]),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
}

fn online(cache: &Folder, server: &str) -> Store {
    let mut store = Store::new();
    store.set_cache(Some(cache.path().to_owned()));
    store.set_servers(vec![server.to_owned()]);
    store
}

/// Remembers how many bytes were reported, and goes on or not.
struct Listener {
    bytes: AtomicU64,
    go_on: bool,
}

impl Progress for Listener {
    fn report(&self, stage: &'static str, done: u64, _total: u64) -> bool {
        if stage == "downloading symbols" {
            self.bytes.fetch_max(done, Ordering::Relaxed);
            return self.go_on;
        }
        true
    }
}

#[test]
fn a_pdb_is_downloaded_once() {
    let whole = fs::read(sample()).unwrap();
    let (server, requests) = serve(whole.clone());
    let cache = Folder::new();
    let listener = Listener {
        bytes: AtomicU64::new(0),
        go_on: true,
    };
    let store = online(&cache, &server);
    drop(store.load(&id(), &listener).unwrap());
    assert_eq!(listener.bytes.into_inner(), whole.len() as u64);
    assert!(store.load(&id(), &()).is_ok());
    assert_eq!(requests.load(Ordering::Relaxed), 1);
}

#[test]
fn a_download_serves_offline_sessions() {
    let (server, _) = serve(fs::read(sample()).unwrap());
    let cache = Folder::new();
    online(&cache, &server).load(&id(), &()).unwrap();
    let mut offline = Store::new();
    offline.set_cache(Some(cache.path().to_owned()));
    assert!(offline.load(&id(), &()).is_ok());
}

#[test]
fn what_no_server_has_is_missing() {
    let (server, _) = serve(Vec::new());
    let cache = Folder::new();
    let mut other = id();
    other.age = 7;
    let error = online(&cache, &server).load(&other, &()).unwrap_err();
    let Error::NoSymbols(missing) = error else {
        panic!("{error}");
    };
    assert!(
        missing
            .searched
            .iter()
            .any(|place| place.ends_with("symbols"))
    );
}

#[test]
fn a_damaged_download_is_not_kept() {
    let whole = fs::read(sample()).unwrap();
    let (server, requests) = serve(whole[..whole.len() / 2].to_vec());
    let cache = Folder::new();
    let store = online(&cache, &server);
    assert!(store.load(&id(), &()).is_err());
    assert!(store.load(&id(), &()).is_err());
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[test]
fn without_a_cache_or_a_server_nothing_is_asked() {
    let (server, requests) = serve(fs::read(sample()).unwrap());
    let mut store = Store::new();
    store.set_servers(vec![server]);
    assert!(store.load(&id(), &()).is_err());
    assert_eq!(requests.load(Ordering::Relaxed), 0);
}

#[test]
fn a_download_can_be_cancelled() {
    let (server, _) = serve(fs::read(sample()).unwrap());
    let cache = Folder::new();
    let listener = Listener {
        bytes: AtomicU64::new(0),
        go_on: false,
    };
    let result = online(&cache, &server).load(&id(), &listener);
    assert!(matches!(result, Err(Error::Cancelled)));
}
