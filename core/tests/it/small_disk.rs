//! A disk that can be filled: a small file system in memory, in a mount namespace of the test's own.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the disk is mounted, set in the process that runs inside the namespace.
const INSIDE: &str = "KITH_TEST_SMALL_DISK";

/// Where the small disk is, in the process that has one. Elsewhere this test is run again in such a process, if the system
/// allows it, and there is nothing else to do.
pub(crate) fn or_run_again(test: &str, mib: u32) -> Option<PathBuf> {
    if let Some(inside) = std::env::var_os(INSIDE) {
        return Some(inside.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size={mib}m tmpfs \"$2\"");
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script]).arg(std::env::current_exe().unwrap()).args([test]).arg(dir.path());
        command
    };
    if !unshare(&mount).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no file system can be mounted here");
        return None;
    }
    let again = format!("{mount} && exec \"$0\" --exact \"$1\" --nocapture");
    assert!(unshare(&again).env(INSIDE, dir.path()).status().unwrap().success());
    None
}

/// Takes all the room there is, until it is dropped.
pub(crate) struct Filler(PathBuf);

impl Filler {
    pub(crate) fn fill(disk: &Path) -> Self {
        let path = disk.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while file.write_all(&vec![7; size]).is_ok() {}
        }
        Self(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}
