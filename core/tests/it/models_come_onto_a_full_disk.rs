//! A disk that fills up at nine tenths of a download: a sentence, what came is kept, and the download goes on when there is room.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use kith_core::speech::fetch::{FetchError, Flow, Patience, begun, fetch};
use kith_core::speech::{Manifest, ModelFacts};

use crate::small_disk::or_run_again;

fn facts() -> ModelFacts {
    let manifest = Manifest::built_in().unwrap();
    manifest.by_name("kith-test.en").unwrap().clone()
}

/// A place that has the model, and answers with what is asked for.
fn place() -> String {
    let model = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/ggml-kith-test.en.bin"));
    let model = model.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut from = 0;
            for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
                if line.is_empty() {
                    break;
                }
                if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                    from = range.trim_end_matches('-').parse().unwrap();
                }
            }
            let size = model.len();
            let head = format!(
                "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {from}-{}/{size}\r\nconnection: close\r\n\r\n",
                size - 1
            );
            // Whoever has no room goes away in the middle.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&model[from..]));
        }
    });
    address
}

#[test]
fn a_download_that_meets_a_full_disk_goes_on_when_there_is_room() {
    let name = "models_come_onto_a_full_disk::a_download_that_meets_a_full_disk_goes_on_when_there_is_room";
    let Some(disk) = or_run_again(name, 8) else { return };
    let facts = facts();
    let filler = disk.join("filler");
    std::fs::write(&filler, vec![7; (8 << 20) - usize::try_from(facts.size_bytes).unwrap() * 9 / 10]).unwrap();
    let folder = disk.join("models");
    let mirrors = [place()];
    let get = || fetch(&facts, &folder, &mirrors, Patience::default(), |_| Flow::Continue);
    let error = get().unwrap_err();
    let FetchError::DiskFull { have, size, .. } = error else { panic!("{error}") };
    assert!(have > size * 8 / 10 && have < size, "{have} of {size}");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(begun(&facts, &folder), have);
    assert!(!folder.join(&facts.file).exists());
    std::fs::remove_file(filler).unwrap();
    assert_eq!(get().unwrap(), folder.join(&facts.file));
}
