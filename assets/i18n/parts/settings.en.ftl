# The settings.
settings = Settings
settings-profile = Profile
settings-account = Relay and account
settings-devices = Devices
settings-privacy = Privacy
settings-notifications = Notifications
settings-appearance = Appearance
settings-language = Language
settings-data = Data
settings-diagnostics = Diagnostics
settings-about = About Kith
settings-coming = One moment…
settings-again = Try again
settings-refresh = Refresh
settings-save = Save
settings-saved = Saved

settings-profile-words = Everybody whom you write with sees this. Strangers do not.
settings-profile-name = Name
settings-profile-name-hint = How your friends see you. Without it they see your handle.
settings-profile-about = About me
settings-profile-about-hint = { $count ->
        [one] { $count } character left.
       *[other] { $count } characters left.
    }
settings-profile-too-long = { $count ->
        [one] { $count } character too many.
       *[other] { $count } characters too many.
    }
settings-picture-choose = Choose a picture…
settings-picture-remove = Remove the picture
settings-picture-reading = Reading the picture…
settings-picture-hint = PNG or JPEG. The middle of it is shown.

settings-account-who = Who you are
settings-handle = Handle
settings-no-handle = None: you use no relay
settings-account-id = Account id
settings-relay = Relay
settings-relay-address = Address of the relay
settings-no-relay = None
settings-link = Invite link
settings-link-words = Whoever has this link can ask you for contact.
settings-own-relay = Relay on this computer
settings-own-relay-state = State
settings-own-relay-running = It runs as long as Kith does
settings-own-relay-starting = Starting…
settings-own-relay-off = It does not run
settings-own-relay-address = Address for your friends
settings-own-relay-start = Start again

settings-device-this = this one
settings-device-here = in use now
settings-device-away = not connected
settings-device-since = Added: { $day } · { $state }
settings-devices-words = Every device of your account reads all of its messages.

settings-receipts = Read receipts
settings-receipts-words = Others see what you have read.
settings-typing = Typing notices
settings-typing-words = Others see that you are writing.
settings-lan = Find contacts on the local network
settings-lan-words = This network sees that Kith runs here.
settings-always-relay = Never connect directly
settings-always-relay-words = Contacts do not see your address; everything takes the way through the relay.
settings-restart = This takes effect when Kith starts the next time.

settings-notify = System notifications
settings-notify-words = The system tells you of new messages.
settings-notify-text = Show what was written
settings-notify-text-words = Otherwise only who wrote.
settings-sounds = Sounds
settings-sounds-words = A quiet sound when a message comes.
settings-tray = Stay in the tray
settings-tray-words = Closing the window leaves Kith running, where the system has a tray.

settings-theme = Colours
settings-theme-system = As the system
settings-theme-light = Light
settings-theme-dark = Dark
settings-theme-contrast = High contrast
settings-text-size = Size of everything
settings-percent = { $percent } %
settings-smaller = Smaller
settings-larger = Larger
settings-writing = Writing
settings-enter = Enter sends
settings-enter-words = Otherwise Ctrl+Enter does.
settings-renderer = What draws the window (at the next start)
settings-processor = The processor
settings-processor-words = Needs little memory and works everywhere.
settings-graphics = The graphics card
settings-graphics-words = Smoother on large screens; needs more memory.
settings-language-system = As the system

settings-export = Take everything along
settings-export-words = Writes your messages into a folder as plain files. Whoever can read the folder can read them.
settings-export-start = Export…
settings-exporting = Exporting…
settings-exported =
    { $messages ->
        [one] { $messages } message is in { $path }
       *[other] { $messages } messages are in { $path }
    }
settings-erase = Leave nothing behind
settings-erase-words = Deletes this profile from this device: messages, contacts and keys. Your account stays at its relay and on your other devices; without any other device or your password it is lost.
settings-erase-start = Erase this profile…
settings-erase-confirm = Type { $word } to erase everything here
settings-erase-now = Erase everything
settings-erasing = Erasing…

settings-this-device = This device
settings-relay-connected = Connected
settings-relay-away = Not connected
settings-addresses = Where it can be reached
settings-no-address = Nowhere at the moment
settings-undelivered = Under way
settings-undelivered-count =
    { $count ->
        [one] { $count } message is not delivered yet
       *[other] { $count } messages are not delivered yet
    }
settings-warnings = To be looked at
settings-contacts = Contacts
settings-no-contacts = Nobody yet.
settings-round-trip = { $path }, { $ms } ms
settings-log = Log
settings-log-words = For whoever helps you. No message and no key is in it.
settings-log-last = The last 500 lines
why-best = connected directly
why-not-a-contact = not among the contacts
why-always-relay = direct connections are switched off
why-no-address = no address of them is known
why-not-tried = not tried yet
why-connecting = connecting
why-ended = the connection has ended
why-no-device = no device of theirs is known

settings-about-words = Kith takes messages straight from one person to another. What is said stays between them.
settings-version = Version
settings-licence = Licence
settings-made-with = Made with

error-picture = This is not a picture that can be read. PNG and JPEG can.
error-picture-large = This file is too large for a picture.
