//! Keys that mean something wherever the focus is.

use iced::event::Status;
use iced::keyboard::key::Named;
use iced::keyboard::{Event, Key, Modifiers};

/// What a key asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Press {
    /// The focus goes on.
    FocusNext,
    /// The focus goes back.
    FocusPrevious,
    /// Jump to a chat.
    Switcher,
    /// Find in the list.
    Search,
    /// Find in the chat that is open.
    Find,
    /// The list of keys.
    Help,
    /// The settings.
    Settings,
    /// Somebody new.
    AddContact,
    /// A group.
    NewGroup,
    /// The panel beside the conversation.
    Details,
    /// The chat below.
    NextChat,
    /// The chat above.
    PreviousChat,
    /// The mark goes down, where one of several is marked.
    Down,
    /// The mark goes up.
    Up,
    /// The chat at this place of the list.
    Chat(usize),
    /// Away with what is on top.
    Escape,
    /// The message above the chosen one.
    OlderMessage,
    /// The message below the chosen one.
    NewerMessage,
    /// The newest message.
    Newest,
    /// Emoji for the message.
    Emoji,
    /// A voice note, or its end.
    Record,
    /// Everything larger.
    Larger,
    /// Everything smaller.
    Smaller,
    /// Everything as usual.
    UsualSize,
    /// The end.
    Quit,
}

/// All keys, as the help lists them: the key's name and what it does.
pub(crate) const SHORTCUTS: &[(&str, &str)] = &[
    ("Ctrl+K", "shortcut-switcher"),
    ("Ctrl+F", "shortcut-find"),
    ("Ctrl+Shift+F", "shortcut-search"),
    ("Ctrl+N", "shortcut-add-contact"),
    ("Ctrl+Shift+N", "shortcut-new-group"),
    ("Alt+↓ / Alt+↑", "shortcut-next-chat"),
    ("Ctrl+1 … Ctrl+9", "shortcut-chat"),
    ("Ctrl+D", "shortcut-details"),
    ("Ctrl+E", "shortcut-emoji"),
    ("Ctrl+R", "shortcut-record"),
    ("Ctrl+↑ / Ctrl+↓", "shortcut-choose"),
    ("Enter", "shortcut-send"),
    ("Shift+Enter", "shortcut-newline"),
    ("↑", "shortcut-edit-last"),
    ("Ctrl+B / Ctrl+I", "shortcut-format"),
    ("← / → / Enter", "shortcut-links"),
    ("← / → / Space", "shortcut-seek"),
    ("Page Up / Page Down", "shortcut-scroll"),
    ("Ctrl+End", "shortcut-newest"),
    ("Ctrl++ / Ctrl+− / Ctrl+0", "shortcut-size"),
    ("Tab / Shift+Tab", "shortcut-focus"),
    ("Esc", "shortcut-escape"),
    ("Ctrl+,", "shortcut-settings"),
    ("F1", "shortcut-help"),
    ("Ctrl+Q", "shortcut-quit"),
];

/// What a key asks for, if a widget has not taken it or could not mean anything else by it.
pub(crate) fn press(event: &Event, status: Status) -> Option<Press> {
    let Event::KeyPressed { key, modifiers, .. } = event else { return None };
    let free = status == Status::Ignored;
    match key {
        Key::Named(named) => of_named(*named, *modifiers, free),
        Key::Character(letter) if modifiers.command() => of_letter(letter, *modifiers),
        _ => None,
    }
}

fn of_named(key: Named, modifiers: Modifiers, free: bool) -> Option<Press> {
    match key {
        Named::Tab if modifiers.command() => {
            Some(if modifiers.shift() { Press::PreviousChat } else { Press::NextChat })
        }
        Named::Tab if free => Some(if modifiers.shift() { Press::FocusPrevious } else { Press::FocusNext }),
        Named::Escape if free => Some(Press::Escape),
        Named::F1 => Some(Press::Help),
        Named::End if modifiers.command() => Some(Press::Newest),
        Named::ArrowDown if modifiers.command() => Some(Press::NewerMessage),
        Named::ArrowUp if modifiers.command() => Some(Press::OlderMessage),
        Named::ArrowDown if modifiers.alt() => Some(Press::NextChat),
        Named::ArrowUp if modifiers.alt() => Some(Press::PreviousChat),
        Named::ArrowDown if free && modifiers.is_empty() => Some(Press::Down),
        Named::ArrowUp if free && modifiers.is_empty() => Some(Press::Up),
        _ => None,
    }
}

fn of_letter(letter: &str, modifiers: Modifiers) -> Option<Press> {
    let lower = letter.to_lowercase();
    Some(match (lower.as_str(), modifiers.shift()) {
        // The same keys of a Cyrillic keyboard stand beside the Latin ones.
        ("k" | "л", false) => Press::Switcher,
        ("f" | "а", false) => Press::Find,
        ("f" | "а", true) => Press::Search,
        ("n" | "т", false) => Press::AddContact,
        ("n" | "т", true) => Press::NewGroup,
        ("d" | "в", false) => Press::Details,
        ("e" | "у", false) => Press::Emoji,
        ("r" | "к", false) => Press::Record,
        ("," | "б", _) => Press::Settings,
        ("q" | "й", false) => Press::Quit,
        ("+" | "=", _) => Press::Larger,
        ("-", false) => Press::Smaller,
        ("0", false) => Press::UsualSize,
        (digit, false) => Press::Chat(digit.parse().ok().filter(|place| (1..=9).contains(place))?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use iced::keyboard::{Location, key::Physical};

    fn pressed(key: Key, modifiers: Modifiers, status: Status) -> Option<Press> {
        let event = Event::KeyPressed {
            modified_key: key.clone(),
            key,
            physical_key: Physical::Unidentified(iced::keyboard::key::NativeCode::Unidentified),
            location: Location::Standard,
            modifiers,
            text: None,
            repeat: false,
        };
        press(&event, status)
    }

    #[test]
    fn keys_mean_the_same_on_latin_and_cyrillic_keyboards() {
        for letter in ["k", "л", "K"] {
            let press = pressed(Key::Character(letter.into()), Modifiers::COMMAND, Status::Ignored);
            assert_eq!(press, Some(Press::Switcher), "{letter}");
        }
        assert_eq!(pressed(Key::Character("k".into()), Modifiers::empty(), Status::Ignored), None);
        assert_eq!(pressed(Key::Character("3".into()), Modifiers::COMMAND, Status::Captured), Some(Press::Chat(3)));
    }

    #[test]
    fn a_widget_that_takes_a_key_keeps_it() {
        let tab = Key::Named(Named::Tab);
        assert_eq!(pressed(tab.clone(), Modifiers::empty(), Status::Ignored), Some(Press::FocusNext));
        assert_eq!(pressed(tab.clone(), Modifiers::SHIFT, Status::Ignored), Some(Press::FocusPrevious));
        assert_eq!(pressed(tab, Modifiers::empty(), Status::Captured), None);
        assert_eq!(pressed(Key::Named(Named::Escape), Modifiers::empty(), Status::Captured), None);
        let down = Key::Named(Named::ArrowDown);
        assert_eq!(pressed(down.clone(), Modifiers::empty(), Status::Ignored), Some(Press::Down));
        assert_eq!(pressed(down, Modifiers::empty(), Status::Captured), None);
    }
}
