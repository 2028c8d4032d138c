//! The icon font's glyphs.
//!
//! Made by `assets/icons/build.py` together with `assets/icons/kith-icons.ttf`; change them there.

/// An icon, by the name that Lucide gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(dead_code, reason = "the font is cut to these: what is coming finds its icon here")]
pub(crate) enum Icon {
    /// `send`.
    Send,
    /// `send-horizontal`.
    SendHorizontal,
    /// `mic`.
    Mic,
    /// `paperclip`.
    Paperclip,
    /// `smile`.
    Smile,
    /// `search`.
    Search,
    /// `settings`.
    Settings,
    /// `user`.
    User,
    /// `user-plus`.
    UserPlus,
    /// `users`.
    Users,
    /// `message-circle`.
    MessageCircle,
    /// `message-square`.
    MessageSquare,
    /// `phone`.
    Phone,
    /// `bell`.
    Bell,
    /// `bell-off`.
    BellOff,
    /// `pin`.
    Pin,
    /// `pin-off`.
    PinOff,
    /// `check`.
    Check,
    /// `check-check`.
    CheckCheck,
    /// `clock`.
    Clock,
    /// `triangle-alert`.
    TriangleAlert,
    /// `circle-alert`.
    CircleAlert,
    /// `info`.
    Info,
    /// `x`.
    X,
    /// `plus`.
    Plus,
    /// `minus`.
    Minus,
    /// `chevron-left`.
    ChevronLeft,
    /// `chevron-right`.
    ChevronRight,
    /// `chevron-down`.
    ChevronDown,
    /// `chevron-up`.
    ChevronUp,
    /// `arrow-down`.
    ArrowDown,
    /// `arrow-left`.
    ArrowLeft,
    /// `ellipsis`.
    Ellipsis,
    /// `ellipsis-vertical`.
    EllipsisVertical,
    /// `copy`.
    Copy,
    /// `reply`.
    Reply,
    /// `pencil`.
    Pencil,
    /// `trash-2`.
    Trash2,
    /// `eye`.
    Eye,
    /// `eye-off`.
    EyeOff,
    /// `lock`.
    Lock,
    /// `shield`.
    Shield,
    /// `shield-check`.
    ShieldCheck,
    /// `shield-alert`.
    ShieldAlert,
    /// `qr-code`.
    QrCode,
    /// `image`.
    Image,
    /// `file`.
    File,
    /// `link`.
    Link,
    /// `globe`.
    Globe,
    /// `wifi`.
    Wifi,
    /// `wifi-off`.
    WifiOff,
    /// `server`.
    Server,
    /// `router`.
    Router,
    /// `laptop`.
    Laptop,
    /// `smartphone`.
    Smartphone,
    /// `download`.
    Download,
    /// `upload`.
    Upload,
    /// `log-out`.
    LogOut,
    /// `sun`.
    Sun,
    /// `moon`.
    Moon,
    /// `contrast`.
    Contrast,
    /// `type`.
    Type,
    /// `languages`.
    Languages,
    /// `volume-2`.
    Volume2,
    /// `volume-x`.
    VolumeX,
    /// `play`.
    Play,
    /// `pause`.
    Pause,
    /// `refresh-cw`.
    RefreshCw,
    /// `external-link`.
    ExternalLink,
    /// `keyboard`.
    Keyboard,
    /// `palette`.
    Palette,
    /// `database`.
    Database,
    /// `activity`.
    Activity,
    /// `ban`.
    Ban,
    /// `circle`.
    Circle,
    /// `circle-check`.
    CircleCheck,
    /// `loader`.
    Loader,
    /// `star`.
    Star,
    /// `hash`.
    Hash,
    /// `at-sign`.
    AtSign,
    /// `key-round`.
    KeyRound,
    /// `house`.
    House,
    /// `network`.
    Network,
    /// `rotate-ccw`.
    RotateCcw,
    /// `save`.
    Save,
}

impl Icon {
    /// The character that the font `Kith Icons` draws this icon for.
    pub(crate) const fn glyph(self) -> char {
        match self {
            Self::Send => '\u{e152}',
            Self::SendHorizontal => '\u{e4f2}',
            Self::Mic => '\u{e118}',
            Self::Paperclip => '\u{e12d}',
            Self::Smile => '\u{e164}',
            Self::Search => '\u{e151}',
            Self::Settings => '\u{e154}',
            Self::User => '\u{e19f}',
            Self::UserPlus => '\u{e1a2}',
            Self::Users => '\u{e1a4}',
            Self::MessageCircle => '\u{e116}',
            Self::MessageSquare => '\u{e117}',
            Self::Phone => '\u{e133}',
            Self::Bell => '\u{e059}',
            Self::BellOff => '\u{e05a}',
            Self::Pin => '\u{e259}',
            Self::PinOff => '\u{e2b6}',
            Self::Check => '\u{e06c}',
            Self::CheckCheck => '\u{e38e}',
            Self::Clock => '\u{e087}',
            Self::TriangleAlert => '\u{e193}',
            Self::CircleAlert => '\u{e077}',
            Self::Info => '\u{e0f9}',
            Self::X => '\u{e1b2}',
            Self::Plus => '\u{e13d}',
            Self::Minus => '\u{e11c}',
            Self::ChevronLeft => '\u{e06e}',
            Self::ChevronRight => '\u{e06f}',
            Self::ChevronDown => '\u{e06d}',
            Self::ChevronUp => '\u{e070}',
            Self::ArrowDown => '\u{e042}',
            Self::ArrowLeft => '\u{e048}',
            Self::Ellipsis => '\u{e0b6}',
            Self::EllipsisVertical => '\u{e0b7}',
            Self::Copy => '\u{e09e}',
            Self::Reply => '\u{e22a}',
            Self::Pencil => '\u{e1f9}',
            Self::Trash2 => '\u{e18e}',
            Self::Eye => '\u{e0ba}',
            Self::EyeOff => '\u{e0bb}',
            Self::Lock => '\u{e10b}',
            Self::Shield => '\u{e158}',
            Self::ShieldCheck => '\u{e1ff}',
            Self::ShieldAlert => '\u{e1fe}',
            Self::QrCode => '\u{e1df}',
            Self::Image => '\u{e0f6}',
            Self::File => '\u{e0c0}',
            Self::Link => '\u{e102}',
            Self::Globe => '\u{e0e8}',
            Self::Wifi => '\u{e1ae}',
            Self::WifiOff => '\u{e1af}',
            Self::Server => '\u{e153}',
            Self::Router => '\u{e3bf}',
            Self::Laptop => '\u{e1cd}',
            Self::Smartphone => '\u{e163}',
            Self::Download => '\u{e0b2}',
            Self::Upload => '\u{e19e}',
            Self::LogOut => '\u{e10e}',
            Self::Sun => '\u{e178}',
            Self::Moon => '\u{e11e}',
            Self::Contrast => '\u{e09d}',
            Self::Type => '\u{e198}',
            Self::Languages => '\u{e0fe}',
            Self::Volume2 => '\u{e1ab}',
            Self::VolumeX => '\u{e1ac}',
            Self::Play => '\u{e13c}',
            Self::Pause => '\u{e12e}',
            Self::RefreshCw => '\u{e145}',
            Self::ExternalLink => '\u{e0b9}',
            Self::Keyboard => '\u{e284}',
            Self::Palette => '\u{e1dd}',
            Self::Database => '\u{e0ad}',
            Self::Activity => '\u{e038}',
            Self::Ban => '\u{e051}',
            Self::Circle => '\u{e076}',
            Self::CircleCheck => '\u{e226}',
            Self::Loader => '\u{e109}',
            Self::Star => '\u{e176}',
            Self::Hash => '\u{e0ef}',
            Self::AtSign => '\u{e04e}',
            Self::KeyRound => '\u{e4a3}',
            Self::House => '\u{e0f5}',
            Self::Network => '\u{e125}',
            Self::RotateCcw => '\u{e148}',
            Self::Save => '\u{e14d}',
        }
    }
}

/// Every icon there is.
#[allow(dead_code, reason = "for tests and pictures of the whole font")]
pub(crate) const ALL: &[Icon] = &[
    Icon::Send,
    Icon::SendHorizontal,
    Icon::Mic,
    Icon::Paperclip,
    Icon::Smile,
    Icon::Search,
    Icon::Settings,
    Icon::User,
    Icon::UserPlus,
    Icon::Users,
    Icon::MessageCircle,
    Icon::MessageSquare,
    Icon::Phone,
    Icon::Bell,
    Icon::BellOff,
    Icon::Pin,
    Icon::PinOff,
    Icon::Check,
    Icon::CheckCheck,
    Icon::Clock,
    Icon::TriangleAlert,
    Icon::CircleAlert,
    Icon::Info,
    Icon::X,
    Icon::Plus,
    Icon::Minus,
    Icon::ChevronLeft,
    Icon::ChevronRight,
    Icon::ChevronDown,
    Icon::ChevronUp,
    Icon::ArrowDown,
    Icon::ArrowLeft,
    Icon::Ellipsis,
    Icon::EllipsisVertical,
    Icon::Copy,
    Icon::Reply,
    Icon::Pencil,
    Icon::Trash2,
    Icon::Eye,
    Icon::EyeOff,
    Icon::Lock,
    Icon::Shield,
    Icon::ShieldCheck,
    Icon::ShieldAlert,
    Icon::QrCode,
    Icon::Image,
    Icon::File,
    Icon::Link,
    Icon::Globe,
    Icon::Wifi,
    Icon::WifiOff,
    Icon::Server,
    Icon::Router,
    Icon::Laptop,
    Icon::Smartphone,
    Icon::Download,
    Icon::Upload,
    Icon::LogOut,
    Icon::Sun,
    Icon::Moon,
    Icon::Contrast,
    Icon::Type,
    Icon::Languages,
    Icon::Volume2,
    Icon::VolumeX,
    Icon::Play,
    Icon::Pause,
    Icon::RefreshCw,
    Icon::ExternalLink,
    Icon::Keyboard,
    Icon::Palette,
    Icon::Database,
    Icon::Activity,
    Icon::Ban,
    Icon::Circle,
    Icon::CircleCheck,
    Icon::Loader,
    Icon::Star,
    Icon::Hash,
    Icon::AtSign,
    Icon::KeyRound,
    Icon::House,
    Icon::Network,
    Icon::RotateCcw,
    Icon::Save,
];
