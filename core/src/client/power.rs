//! Whether there is power from the mains.
//!
//! Linux tells by `/sys/class/power_supply`. Elsewhere nobody is asked, and nobody knows.

use std::path::Path;

/// Where Linux says what it is powered by.
const SUPPLIES: &str = "/sys/class/power_supply";

/// The most supplies that are looked at: a laptop has two or three.
const MOST: usize = 64;

/// Whether there is power from the mains, or no battery; none where the system does not say. Reads a few small files of the system's.
pub(super) fn on_mains() -> Option<bool> {
    on_mains_by(Path::new(SUPPLIES))
}

fn on_mains_by(supplies: &Path) -> Option<bool> {
    let entries = std::fs::read_dir(supplies).ok()?;
    let mut battery = false;
    for entry in entries.flatten().take(MOST) {
        let read = |name: &str| std::fs::read_to_string(entry.path().join(name)).unwrap_or_default();
        match read("type").trim() {
            // A mouse has one, too, and says that it powers itself alone.
            "Battery" if read("scope").trim() != "Device" => battery = true,
            "Mains" | "USB" if read("online").trim() == "1" => return Some(true),
            _ => {}
        }
    }
    Some(!battery)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mains(supplies: &[(&str, &str, &str)]) -> bool {
        let directory = tempfile::tempdir().unwrap();
        for (name, kind, online) in supplies {
            let supply = directory.path().join(name);
            std::fs::create_dir(&supply).unwrap();
            std::fs::write(supply.join("type"), format!("{kind}\n")).unwrap();
            std::fs::write(supply.join(if *online == "Device" { "scope" } else { "online" }), online).unwrap();
        }
        on_mains_by(directory.path()).unwrap()
    }

    #[test]
    fn a_battery_without_a_plug_is_no_mains() {
        assert!(mains(&[]) && mains(&[("AC", "Mains", "1")]) && mains(&[("AC", "Mains", "0")]));
        assert!(mains(&[("BAT0", "Battery", ""), ("AC", "Mains", "1")]));
        assert!(mains(&[("BAT0", "Battery", ""), ("ucsi", "USB", "1")]));
        assert!(!mains(&[("BAT0", "Battery", ""), ("AC", "Mains", "0")]));
        assert!(mains(&[("mouse", "Battery", "Device")]));
        assert_eq!(on_mains_by(Path::new("/nowhere")), None);
    }
}
