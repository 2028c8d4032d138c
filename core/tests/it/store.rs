//! The store on a disk.

mod crash;
#[cfg(target_os = "linux")]
mod full_disk;
mod guards;
mod model;
#[cfg(target_os = "linux")]
mod power_cut;
mod scenario;
mod sealing;
mod snapshots;
mod space;
