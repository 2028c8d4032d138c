//! Spaces, radii and sizes, in logical pixels: a scale of four.

/// Between things that belong together.
pub(crate) const TIGHT: f32 = 4.0;
/// Between parts of a row.
pub(crate) const SMALL: f32 = 8.0;
/// Between rows, and inside what is pressed.
pub(crate) const GAP: f32 = 12.0;
/// Inside panels.
pub(crate) const PAD: f32 = 16.0;
/// Between groups.
pub(crate) const WIDE: f32 = 24.0;

/// Corners of fields and buttons.
pub(crate) const RADIUS: f32 = 8.0;
/// Corners of messages and cards.
pub(crate) const ROUND: f32 = 14.0;
/// The corner of a message that follows one of the same author.
pub(crate) const JOINED: f32 = 5.0;
/// Fully round.
pub(crate) const PILL: f32 = 999.0;

/// Captions: times, badges.
pub(crate) const TINY: f32 = 11.5;
/// Second lines.
pub(crate) const CAPTION: f32 = 13.0;
/// Running text.
pub(crate) const BODY: f32 = 15.0;
/// Headings of panels.
pub(crate) const HEADING: f32 = 18.0;
/// Headings of screens.
pub(crate) const TITLE: f32 = 26.0;
/// A line's height by its size.
pub(crate) const LINE: f32 = 1.4;

/// Icons in rows and buttons.
pub(crate) const ICON: f32 = 18.0;
/// Icons that stand for a whole screen.
pub(crate) const ICON_LARGE: f32 = 44.0;

/// The rail at the window's edge.
pub(crate) const RAIL: f32 = 64.0;
/// The list of chats.
pub(crate) const LIST: f32 = 320.0;
/// As high as a list from which is chosen becomes at most.
pub(crate) const CHOICES: f32 = 260.0;
/// The panel of details.
pub(crate) const DETAILS: f32 = 320.0;
/// A window narrower than this shows no list beside a conversation with its details.
pub(crate) const NARROW: f32 = 980.0;
/// A window narrower than this shows the details in place of the conversation: beside them its head would be cut.
pub(crate) const BESIDE: f32 = 780.0;
/// A window narrower than this has no room for words beside a large picture.
pub(crate) const SLIM: f32 = 420.0;
/// A window narrower than this shows the list or the conversation.
pub(crate) const SINGLE: f32 = 640.0;
/// A form's width.
pub(crate) const FORM: f32 = 420.0;
/// A dialogue's width.
pub(crate) const DIALOGUE: f32 = 460.0;
/// The widest words for whoever points at something.
pub(crate) const TIP: f32 = 320.0;
/// A code for a camera.
pub(crate) const CODE: f32 = 150.0;
/// The same beside words.
pub(crate) const CODE_SMALL: f32 = 132.0;
/// The place of one emoji among those to choose from.
pub(crate) const EMOJI: f32 = 38.0;
/// The widest message.
pub(crate) const MESSAGE: f32 = 560.0;
/// The bar over a conversation.
pub(crate) const BAR: f32 = 60.0;
/// A row of the list.
pub(crate) const ROW: f32 = 68.0;
/// A round picture in a row.
pub(crate) const AVATAR: f32 = 46.0;
/// A round picture in a bar or beside a message.
pub(crate) const AVATAR_SMALL: f32 = 34.0;
/// A round picture in a panel.
pub(crate) const AVATAR_LARGE: f32 = 96.0;
/// The dot that says that somebody is here.
pub(crate) const DOT: f32 = 12.0;
/// A bar that scrolls.
pub(crate) const BAR_WIDTH: f32 = 6.0;
/// The focus ring.
pub(crate) const RING: f32 = 2.0;
/// How wide the picture of a sound is.
pub(crate) const WAVEFORM: f32 = 192.0;
/// How wide a bar of loudness is.
pub(crate) const LEVEL: f32 = 96.0;
/// The composer never grows over this.
pub(crate) const COMPOSER_MAX: f32 = 220.0;
