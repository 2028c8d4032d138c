use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;
use crate::speech::manifest::Manifest;

/// Short enough for tests, long enough for a busy machine.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(20), silence: Duration::from_secs(3) };

fn model_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/ggml-kith-test.en.bin")
}

/// The test model, as if it came from elsewhere.
fn facts() -> ModelFacts {
    let mut facts = Manifest::built_in().unwrap().by_name("kith-test.en").unwrap().clone();
    facts.url = None;
    facts
}

/// How a place behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As it should.
    Good,
    /// It knows nothing of ranges.
    Whole,
    /// One bit is another.
    Lies,
    /// It ends each answer after a million bytes.
    Cuts,
    /// It is silent after a million bytes.
    Stalls,
    /// It has nothing.
    Missing,
    /// It answers with another part than was asked for.
    Shifts,
    /// What it has is of another size.
    Short,
}

/// A place, and from where on it was asked.
struct Place {
    address: String,
    asked: Arc<Mutex<Vec<u64>>>,
}

impl Place {
    fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            let model = Arc::new(std::fs::read(model_file()).unwrap());
            for stream in listener.incoming().map_while(Result::ok) {
                let (noted, model) = (Arc::clone(&noted), Arc::clone(&model));
                std::thread::spawn(move || {
                    // Whoever is not listened to any more may go.
                    let _ = answer(stream, manner, &model, &noted);
                });
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<u64> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(mut stream: TcpStream, manner: Manner, model: &[u8], noted: &Mutex<Vec<u64>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut from = 0;
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        if let Some(range) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().unwrap();
        }
    }
    noted.lock().unwrap().push(from as u64);
    let size = model.len();
    let mut body = model.to_vec();
    match manner {
        Manner::Missing => {
            return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
        Manner::Lies => body[size / 2] ^= 1,
        Manner::Short => body.truncate(size - 1),
        _ => {}
    }
    if matches!(manner, Manner::Whole | Manner::Short) {
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
        return stream.write_all(&body);
    }
    let end = if manner == Manner::Cuts { size.min(from + 1_000_000) } else { size };
    let told = if manner == Manner::Shifts { from + 1 } else { from };
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {told}-{}/{size}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        end - 1,
        end - from
    )?;
    if manner == Manner::Stalls {
        stream.write_all(&body[from..size.min(from + 1_000_000)])?;
        // Until whoever asked has gone.
        let _ = stream.read(&mut [0]);
        return Ok(());
    }
    stream.write_all(&body[from..end])
}

fn places(manners: &[Manner]) -> (Vec<Place>, Vec<String>) {
    let places: Vec<Place> = manners.iter().map(|manner| Place::open(*manner)).collect();
    let addresses = places.iter().map(|place| place.address.clone()).collect();
    (places, addresses)
}

fn get(folder: &Path, mirrors: &[String]) -> Result<PathBuf, FetchError> {
    fetch(&facts(), folder, mirrors, PATIENCE, |_| Flow::Continue)
}

fn is_there(folder: &Path) -> bool {
    model::verify(&folder.join(&facts().file), &facts()).is_ok()
}

#[test]
fn a_model_comes_from_a_good_place_with_and_without_ranges() {
    for manner in [Manner::Good, Manner::Whole, Manner::Cuts] {
        let folder = tempfile::tempdir().unwrap();
        let (places, mirrors) = places(&[manner]);
        let mut last = 0;
        let path = fetch(&facts(), folder.path(), &mirrors, PATIENCE, |have| {
            assert!(have >= last, "it went back from {last} to {have}");
            last = have;
            Flow::Continue
        });
        assert!(path.is_ok_and(|path| path == folder.path().join(&facts().file)), "{manner:?}");
        assert!(is_there(folder.path()) && last == facts().size_bytes);
        assert_eq!(begun(&facts(), folder.path()), 0, "nothing is left beside it");
        assert_eq!(places[0].asked().len(), if manner == Manner::Cuts { 8 } else { 1 });
        // What is there is not fetched again.
        get(folder.path(), &mirrors).unwrap();
        assert_eq!(places[0].asked().len(), if manner == Manner::Cuts { 8 } else { 1 });
    }
}

#[test]
fn a_paused_download_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (places, mirrors) = places(&[Manner::Good]);
    let pause = |have: u64| if have > 2_000_000 { Flow::Pause } else { Flow::Continue };
    let error = fetch(&facts(), folder.path(), &mirrors, PATIENCE, pause).unwrap_err();
    let FetchError::Paused { have, size, .. } = error else { panic!("{error}") };
    assert!((2_000_000..3_000_000).contains(&have) && size == facts().size_bytes);
    assert_eq!(begun(&facts(), folder.path()), have);
    assert!(!folder.path().join(&facts().file).exists());
    get(folder.path(), &mirrors).unwrap();
    assert_eq!(places[0].asked(), [0, have]);
    assert!(is_there(folder.path()));
}

#[test]
fn the_next_place_is_asked_when_one_is_wrong() {
    for manner in [Manner::Missing, Manner::Lies, Manner::Stalls, Manner::Shifts, Manner::Short] {
        let folder = tempfile::tempdir().unwrap();
        let (places, mirrors) = places(&[manner, Manner::Good]);
        get(folder.path(), &mirrors).unwrap_or_else(|error| panic!("{manner:?}: {error}"));
        assert!(is_there(folder.path()));
        let expected = if manner == Manner::Stalls { 1_000_000 } else { 0 };
        assert_eq!(places[1].asked(), [expected], "{manner:?}");
    }
    // Nobody listens there.
    let folder = tempfile::tempdir().unwrap();
    let (_good, mut mirrors) = places(&[Manner::Good]);
    mirrors.insert(0, "http://127.0.0.1:1".into());
    get(folder.path(), &mirrors).unwrap();
}

#[test]
fn a_lie_in_a_part_does_not_spoil_the_rest() {
    // The liar stalls not: what an earlier download left is wrong, and nobody knows from whom it is.
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = std::fs::read(model_file()).unwrap();
    wrong.truncate(5_000_000);
    wrong[100] ^= 1;
    std::fs::write(folder.path().join(format!("{}.part", facts().file)), &wrong).unwrap();
    let (places, mirrors) = places(&[Manner::Good]);
    get(folder.path(), &mirrors).unwrap();
    assert_eq!(places[0].asked(), [5_000_000, 0]);
    assert!(is_there(folder.path()));
}

#[test]
fn where_no_place_has_it_everything_is_told_and_nothing_takes_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let (_places, mirrors) = places(&[Manner::Missing, Manner::Lies]);
    let error = get(folder.path(), &mirrors).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.contains("status 404") && sentence.contains("gave something else"), "{sentence}");
    assert!(!folder.path().join(&facts().file).exists());
    assert_eq!(begun(&facts(), folder.path()), 0, "a lie is not kept");
    let none = get(folder.path(), &[]).unwrap_err();
    assert_eq!(none, FetchError::ComesWithKith { name: "kith-test.en".into() });
}

#[test]
fn one_download_of_a_model_at_a_time_and_none_is_deleted_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let (_places, mirrors) = places(&[Manner::Good]);
    let mut busy = Vec::new();
    fetch(&facts(), folder.path(), &mirrors, PATIENCE, |_| {
        if busy.is_empty() {
            busy.push(get(folder.path(), &mirrors).unwrap_err());
            busy.push(delete(&facts(), folder.path()).unwrap_err());
        }
        Flow::Continue
    })
    .unwrap();
    assert!(busy.iter().all(|error| matches!(error, FetchError::Busy { .. })), "{busy:?}");
    delete(&facts(), folder.path()).unwrap();
    assert!(!is_there(folder.path()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn only_a_known_and_whole_file_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let known = [facts()];
    assert_eq!(import(&model_file(), &known, folder.path()).map(|facts| facts.name.as_str()), Ok("kith-test.en"));
    assert!(is_there(folder.path()));
    let other = folder.path().join("other.bin");
    let model = std::fs::read(model_file()).unwrap();
    for wrong in [&model[..model.len() - 1], b"<!DOCTYPE html>", b""] {
        std::fs::write(&other, wrong).unwrap();
        assert!(matches!(import(&other, &known, folder.path()), Err(FetchError::Model(ModelError::Unknown { .. }))));
    }
    assert!(matches!(
        import(Path::new("/nowhere"), &known, folder.path()),
        Err(FetchError::Model(ModelError::Missing { .. }))
    ));
}

#[test]
fn addresses_of_mirrors_are_looked_at() {
    for good in ["https://example.org/models", "http://192.0.2.1:8080/models/", "https://a.b/c%20d"] {
        assert_eq!(check_mirror(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "ftp://a.b",
        "https://",
        "https:///x",
        "https://a b",
        "https://u:p@a.b",
        "https://a.b/?q",
        "/models",
        "https://a.b\r\n",
    ] {
        assert!(check_mirror(bad).is_err(), "{bad}");
    }
}
