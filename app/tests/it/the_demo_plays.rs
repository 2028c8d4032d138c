//! The demo is a promise to newcomers: what `./dev demo` starts has to play to its end.

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::Stdio;

use crate::process::command;
use crate::world::{Failure, Outcome, check, play};

/// Cargo builds examples beside the tests' own directory, in the same go as the tests.
fn demo() -> Outcome<PathBuf> {
    let tests = std::env::current_exe()?;
    let built = tests.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let demo = built.join("examples").join(format!("demo{}", std::env::consts::EXE_SUFFIX));
    if demo.is_file() {
        return Ok(demo);
    }
    Err(Failure::new(format!("{} is not built: ./dev test builds it", demo.display())))
}

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")
}

#[tokio::test]
async fn the_demo_plays_to_its_end_with_a_transcribed_voice_note() {
    play(async |_room| {
        let output = command(&demo()?).arg("--terminal").arg("--assets").arg(assets()).output().await?;
        let (played, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        check(output.status.success(), &format!("{played}\n{complaints}"))?;
        check(played.contains("steps verified"), &format!("it does not say what it verified: {played}"))
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn where_a_display_is_named_that_does_not_answer_the_demo_plays_in_the_terminal() {
    play(async |_room| {
        let mut demo = command(&demo()?);
        demo.env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET").env("DISPLAY", ":54321");
        let output = demo.arg("--assets").arg(assets()).output().await?;
        let (played, complaints) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        check(output.status.success(), &format!("{played}\n{complaints}"))?;
        check(played.contains("DISPLAY is :54321"), &format!("it does not say why there are no windows: {played}"))?;
        check(played.contains("steps verified"), &format!("it does not say what it verified: {played}"))
    })
    .await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_demo_that_is_ended_in_the_middle_leaves_no_process_and_no_file() {
    use tokio::io::{AsyncBufReadExt, BufReader};

    play(async |room| {
        let mut command = command(&demo()?);
        command.arg("--terminal").arg("--assets").arg(assets()).env("TMPDIR", room);
        let mut demo = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let output = demo.stdout.take().ok_or_else(|| Failure::new("the demo has no output"))?;
        let mut lines = BufReader::new(output).lines();
        // By then a relay and two people's processes are there.
        while !lines.next_line().await?.ok_or_else(|| Failure::new("the demo ended early"))?.contains("Both go online")
        {
        }
        let left = |room: &Path| Ok::<_, Failure>(std::fs::read_dir(room)?.count());
        check(left(room)? == 1, "the demo has no room of its own")?;
        let id = demo.id().ok_or_else(|| Failure::new("the demo has ended"))?.to_string();
        check(crate::process::command(Path::new("kill")).args(["-TERM", &id]).status().await?.success(), "no kill")?;
        let ended = demo.wait_with_output().await?;
        check(!ended.status.success(), "what was interrupted says that all is well")?;
        let complaints = String::from_utf8_lossy(&ended.stderr);
        check(complaints.contains("interrupted"), &format!("it does not say why it ended: {complaints}"))?;
        check(left(room)? == 0, "the demo has left files behind")?;
        #[cfg(target_os = "linux")]
        crate::window::until("the end of its processes", async || Ok((running_in(room)? == 0).then_some(()))).await?;
        Ok(())
    })
    .await;
}

/// How many processes were started with something below this directory.
#[cfg(target_os = "linux")]
fn running_in(room: &Path) -> Outcome<usize> {
    let room = room.to_string_lossy().into_owned();
    let commands = std::fs::read_dir("/proc")?.flatten().map(|entry| entry.path().join("cmdline"));
    // What ended in between has none.
    let commands = commands.filter_map(|path| std::fs::read(path).ok());
    Ok(commands.filter(|command| String::from_utf8_lossy(command).contains(&room)).count())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn where_there_is_a_display_the_demo_opens_two_windows_and_ends_with_them() {
    use crate::window::{Display, until};

    play(async |room| {
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo");
        std::fs::create_dir_all(&pictures)?;
        let display = Display::start(room, "demo", &pictures).await?;
        let mut command = display.command(&demo()?.to_string_lossy());
        command.arg("--assets").arg(assets()).stdout(std::fs::File::create(room.join("demo.log"))?);
        let mut demo = command.spawn()?;
        let both = async || Ok((display.windows().await? == 2).then_some(()));
        until("two windows", both).await?;
        display.picture("demo").await?;
        for left in [1, 0] {
            display.close_one().await?;
            let closed = async || Ok((display.windows().await? == left).then_some(()));
            until("a window that closes", closed).await?;
        }
        let ended = until("the end of the demo", async || Ok(demo.try_wait()?)).await?;
        check(ended.success(), "the demo did not end well")?;
        display.end().await
    })
    .await;
}
