//! Symbol servers: PDBs over HTTP, fetched through `isr`'s own cache.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

use isr_cache::{CodeView, IsrCache, ProgressEvent, ProgressFn, SymbolDownloader};
use url::Url;

use super::PdbId;
use crate::{
    core::Progress,
    error::{Error, Result},
};

/// What the downloading thread says.
enum Message {
    /// Bytes received, and bytes in all (0: not known).
    Received(u64, u64),
    Finished(Result<PathBuf>),
}

/// Fetches a PDB into a cache with `isr`'s layout and answers where it is.
///
/// The download runs on a thread of its own: a caller who cancels does not wait
/// for the network, and what still arrives serves the next call.
///
/// # Errors
/// [`Error::BackEnd`] when no server delivers, [`Error::Cancelled`].
pub(super) fn download(
    root: &Path,
    servers: &[String],
    id: &PdbId,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let servers = servers.iter().map(|server| address(server));
    let servers = servers.collect::<Result<Vec<_>>>()?;
    let (root, view) = (root.to_owned(), code_view(id));
    let (sender, messages) = channel();
    thread::spawn(move || {
        let path = fetch(root, servers, view, &sender);
        // The caller may have cancelled and gone.
        let _ = sender.send(Message::Finished(path));
    });
    watch(&messages, progress)
}

/// Reports what the thread says until it has finished.
fn watch(messages: &Receiver<Message>, progress: &dyn Progress) -> Result<PathBuf> {
    for message in messages {
        match message {
            Message::Received(done, total) => progress.step("downloading symbols", done, total)?,
            Message::Finished(path) => return path,
        }
    }
    Err(failed("the download ended early"))
}

fn fetch(
    root: PathBuf,
    servers: Vec<Url>,
    view: CodeView,
    sender: &Sender<Message>,
) -> Result<PathBuf> {
    let downloader = SymbolDownloader::builder()
        .servers(servers)
        .output_directory(root.join("windows"))
        .progress(forward(sender.clone()))
        .build();
    IsrCache::new(root)
        .and_then(|cache| {
            cache
                .with_symbol_downloader(downloader)
                .download_from_codeview(view)
        })
        .map_err(failed)
}

/// Passes the downloader's events on.
fn forward(sender: Sender<Message>) -> ProgressFn {
    Arc::new(move |event| {
        if let ProgressEvent::DownloadProgress {
            bytes, total_bytes, ..
        } = event
        {
            // Nobody listens after a cancellation.
            let _ = sender.send(Message::Received(bytes, total_bytes.unwrap_or(0)));
        }
    })
}

/// A server's address; it ends with a slash, so that names are put behind it.
fn address(server: &str) -> Result<Url> {
    let server = server.trim_end_matches('/');
    Url::parse(&format!("{server}/"))
        .map_err(|error| Error::invalid_argument("symbol server", format!("{server}: {error}")))
}

fn code_view(id: &PdbId) -> CodeView {
    CodeView {
        name: id.name.clone(),
        guid: id.guid_text().to_ascii_lowercase(),
        age: id.age,
    }
}

fn failed(error: impl ToString) -> Error {
    Error::BackEnd {
        reason: format!("symbol server: {}", error.to_string()).into(),
    }
}
