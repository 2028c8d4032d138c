//! The demo is a promise to newcomers: what `./dev demo` starts has to play to its end.

use std::path::Path;

use crate::process::command;
use crate::world::{Failure, check, play};

#[tokio::test]
async fn the_demo_plays_to_its_end_with_a_transcribed_voice_note() {
    play(async |_room| {
        // Cargo builds examples beside the tests' own directory, in the same go as the tests.
        let tests = std::env::current_exe()?;
        let built = tests.parent().and_then(Path::parent).unwrap_or(Path::new("."));
        let demo = built.join("examples").join(format!("demo{}", std::env::consts::EXE_SUFFIX));
        if !demo.is_file() {
            return Err(Failure::new(format!("{} is not built: ./dev test builds it", demo.display())));
        }
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
        let output = command(&demo).arg("--assets").arg(assets).output().await?;
        let (played, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        check(output.status.success(), &format!("{played}\n{complaints}"))?;
        check(played.contains("steps verified"), &format!("it does not say what it verified: {played}"))
    })
    .await;
}
