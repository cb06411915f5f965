//! An engine that goes away, and images that go away, while a snapshot is made.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use support::engine::{Frozen, INSTALL, base, docker, image, shell};

/// What goes wrong between a builder and the engine.
#[derive(Clone, Copy)]
enum Fault {
    /// The engine goes away once so many bytes have been sent to it.
    GoneAfter(i64),
    /// The engine does not load archives.
    NoLoad,
    /// The engine does not give images the labels that it is told, as Podman.
    NoLabels,
}

/// A socket on which the engine answers, but for a fault.
struct Faulty {
    folder: tempfile::TempDir,
    sent: Arc<AtomicI64>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        let (folder, sent) = (tempfile::tempdir().unwrap(), Arc::new(AtomicI64::new(0)));
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let count = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let engine = UnixStream::connect("/var/run/docker.sock").unwrap();
                let (answers, to) = (engine.try_clone().unwrap(), client.try_clone().unwrap());
                let count = Arc::clone(&count);
                thread::spawn(move || ask(client, engine, fault, &count));
                thread::spawn(move || answer(answers, to));
            }
        });
        Self { folder, sent }
    }

    fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    fn is_gone(&self, bytes: i64) -> bool {
        self.sent.load(Ordering::SeqCst) > bytes
    }
}

/// Passes on what a builder asks, as far as the fault lets it.
fn ask(mut client: UnixStream, mut engine: UnixStream, fault: Fault, sent: &AtomicI64) {
    // Small, so that an engine can go away at many points; what is changed has to be whole.
    let mut block = vec![0; if matches!(fault, Fault::NoLabels) { 64 << 10 } else { 1024 }];
    while let Ok(read) = client.read(&mut block) {
        let read_bytes = i64::try_from(read).unwrap();
        let before = sent.fetch_add(read_bytes, Ordering::SeqCst);
        let find = |text: &[u8]| block[..read].windows(text.len()).position(|it| it == text);
        let is_load = find(b"/images/load").is_some();
        if let (Fault::NoLabels, Some(_), Some(at)) = (fault, find(b"/commit"), find(b"\"Labels\""))
        {
            block[at + 1] = b'_';
        }
        match fault {
            Fault::GoneAfter(bytes) if before + read_bytes > bytes => break,
            Fault::NoLoad if is_load => {
                let refusal = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n\
                               Content-Length: 15\r\nConnection: close\r\n\r\n{\"message\": \"\"}";
                client.write_all(refusal.as_bytes()).unwrap();
                break;
            }
            _ if read == 0 || engine.write_all(&block[..read]).is_err() => break,
            _ => {}
        }
    }
    // The other direction may have done it.
    let _ = (client.shutdown(Shutdown::Both), engine.shutdown(Shutdown::Both));
}

/// Passes on what the engine answers.
fn answer(mut engine: UnixStream, mut client: UnixStream) {
    // Its end is the end of both, however it comes.
    let _ = std::io::copy(&mut engine, &mut client);
    let _ = (client.shutdown(Shutdown::Both), engine.shutdown(Shutdown::Both));
}

#[test]
fn an_engine_that_goes_away_midway_leaves_nothing_half_made() {
    let mut frozen = Frozen::new(&[INSTALL], "");
    let mut failed = 0;
    for bytes in [300, 3_000, 6_000, 9_000, 12_000, 15_000, 20_000] {
        let engine = Faulty::new(Fault::GoneAfter(bytes));
        frozen.0.variables = vec![("DOCKER_HOST".to_owned(), engine.host())];
        let built = frozen.0.build(&["--runtime", "docker"]);
        if engine.is_gone(bytes) && built.code != Some(0) {
            failed += 1;
            assert!(!built.error(4).contains("panicked"), "{}", built.stderr);
        }
        frozen.0.variables.clear();
    }
    assert!(failed > 2, "the engine goes away while it is needed");
    assert_eq!(shell(&frozen.build(), "cat manage.py; ls shop/models.py"), "shop/models.py");
}

#[test]
fn an_engine_that_takes_no_part_of_an_image_gets_all_of_the_tree() {
    let mut frozen = Frozen::new(&[INSTALL], "");
    let first = frozen.build();
    frozen.0.write("shop/models.py", "x = 2\n");
    let engine = Faulty::new(Fault::NoLoad);
    frozen.0.variables = vec![("DOCKER_HOST".to_owned(), engine.host())];
    let second = frozen.build();
    let layers = |snapshot| docker(&["inspect", "--format", "{{len .RootFS.Layers}}", snapshot]);
    assert_eq!(layers(image(&second)), layers(image(&first)));
    assert_eq!(shell(&second, "cat shop/models.py"), "x = 2");
    assert_eq!(frozen.build(), second);
}

#[test]
fn an_engine_that_leaves_labels_out_is_told_of_and_asked_once() {
    let mut frozen = Frozen::new(&[INSTALL], "");
    let engine = Faulty::new(Fault::NoLabels);
    frozen.0.variables = vec![("DOCKER_HOST".to_owned(), engine.host())];
    let built = frozen.0.build(&["--runtime", "docker"]);
    let told = "error: this engine makes images without the labels that it is told";
    assert!(built.error(4).starts_with(told), "{}", built.stderr);
    assert_eq!(built.stderr.matches(INSTALL).count(), 1, "{}", built.stderr);
    frozen.0.variables.clear();
    assert_eq!(shell(&frozen.build(), "ls manage.py"), "manage.py");
}

#[test]
fn a_base_that_somebody_removed_is_made_again() {
    let frozen = Frozen::new(&[INSTALL], "");
    let first = frozen.build();
    let base = base(&first);
    docker(&["rmi", "--force", image(&first)]);
    docker(&["rmi", "--force", &base]);
    let again = frozen.build();
    assert_eq!(shell(&again, "ls shop/models.py"), "shop/models.py");
    assert_eq!(again.content.root(), first.content.root());
}
