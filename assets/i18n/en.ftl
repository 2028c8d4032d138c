# What the window says, in English.

app-name = Kith
starting = Opening…
loading = Loading…
close = Close
cancel = Cancel
back = Back
quit = Quit Kith
copied = Copied
copy = Copy
copy-link = Copy link
discard = Discard
you = You
today = Today
yesterday = Yesterday
day-and-time = { $day }, { $time }
date-day-month = { $day } { $month }
date-day-month-year = { $day } { $month } { $year }
date-month-day = { $month } { $day }
date-month-day-year = { $month } { $day }, { $year }
size-b = { $size } B
size-kb = { $size } kB
size-mb = { $size } MB
size-gb = { $size } GB
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
month-short-1 = Jan
month-short-2 = Feb
month-short-3 = Mar
month-short-4 = Apr
month-short-5 = May
month-short-6 = Jun
month-short-7 = Jul
month-short-8 = Aug
month-short-9 = Sep
month-short-10 = Oct
month-short-11 = Nov
month-short-12 = Dec
weekday-short-1 = Mon
weekday-short-2 = Tue
weekday-short-3 = Wed
weekday-short-4 = Thu
weekday-short-5 = Fri
weekday-short-6 = Sat
weekday-short-7 = Sun

## Opening a profile
unlock-title = Welcome back
unlock-words = Your messages on this device are encrypted. The passphrase opens them.
unlock-passphrase = Passphrase
unlock-open = Open
unlock-opening = Opening…
failure-title = Kith cannot open your messages
failure-retry = Try again
failure-restore = Restore the last copy

## The list of chats
chats = Chats
settings = Settings
list-search = Search
list-loading = Loading your chats…
list-failed = Your chats cannot be shown
list-empty-title = Nobody is here yet
list-empty-words = Add somebody by name, or send them your link.
list-nothing-title = Nothing found
list-nothing-words = No chat is called like that.
list-request = wants to write to you
list-draft = Draft:
list-asked = waiting for an answer
list-blocked = blocked
list-new = Say hello
choose-title = Choose a chat
choose-words = Ctrl+K jumps to one by a few letters of its name.
switcher-query = Jump to…
connecting = Connecting to your relay…
offline = Your relay is not reached. Messages wait here and go out by themselves.

## A conversation
typing = is typing…
history-failed = The messages cannot be shown
history-start = This is the beginning
history-empty-title = No messages yet
history-empty = What you and { $name } write here can be read by nobody else.
history-asked = { $name } has been asked. What you write now is sent once they accept.
unread-line = New messages
composer-placeholder = Message
message-too-long = A message has at most 16 KB. Send it in parts.
voice-play = Play
voice-write-down = Write down what is said
voice-listens = Listening: { $percent } %. Press to stop.
voice-pause = Pause
player-plays = Voice note: { $name }
player-show = Show the message
player-stop = Stop
spoken-whole = Show all that is said
spoken-mine = Written down on this device
spoken-sender = Written down by the sender
spoken-translated = translated into English
spoken-mended = mended by hand
spoken-model = Model: { $model }
spoken-inaudible = inaudible
spoken-mend = Mend the words
spoken-mending = Mending what was written down
spoken-too-long = This transcript is too long to be mended here: more than 16 KB.
find = Find in this chat
find-placeholder = Find words, also spoken ones
find-looking = Looking…
find-nothing = Nothing found
find-at = { $at } of { $all }
find-older = Older
find-newer = Newer
find-play = Play from here
file-fetch = Fetch the file
file-save = Save the file
said-file = File
recording-begin = Record a voice note: press, or hold while you speak
recording-discard = Throw it away
recording-send = Send it
recording-opens = The microphone is being opened…
recording-resume = Go on
recording-stop = Stop, and listen to it before it is sent
recording-lost = The microphone is gone: looking for it, or for another…
recording-unsaved = The disk does not take it for now; it is kept in memory until it is sent.
recording-waits = A recording that was not sent
recording-ends = One moment…
recording-listen = Listen to it
recording-pull = Pull left to throw away, up to free your hands
recording-dropped = The recording was thrown away
recording-take-back = Take it back
models-offer = The model that comes with Kith is for trying out: it knows some 300 words of one synthetic voice. For real speech, fetch a real one.
models-show = Models…
language-search = Find a language
language-none = There is no such language here.
listening = Voice notes
listening-as-all = As in the settings
listening-as-all-is = As in the settings: { $language }
shared-media-empty = Files and voice notes of this chat are listed here.
shared-media-more = Show older ones
show-whole = Show the whole message
sending = Sending…
edited = edited
editing = Editing your message
edit = Edit
reply = Reply
delete = Delete
offer-title = { $count ->
    [one] Send this file to { $name }?
   *[other] Send these { $count } files to { $name }?
}
offer-send = Send
delete-title = Delete this message?
delete-words = It is erased on all devices of everybody in this chat. This cannot be undone.
attach = Attach a file
emoji = Emoji
emoji-search = Search emoji
emoji-recent = Used last
said-voice = Voice note
said-deleted = Deleted message
said-left = left the group
said-missing = This message has not come yet
said-malformed = This message is damaged
said-unknown = This message needs a newer Kith
member-left = { $name } left the group
state-played = Heard
state-queued = Waits on this device until it can go out
state-sent = Sent
state-sent-mailbox = Waits in their mailbox at the relay
state-delivered = Delivered to their device
state-read = Read
blocked-words = You have blocked this person. Nothing is sent or received.

## Details
details = Details
mute = Without a sound
pin = On top of the list
block = Block
unblock = Unblock
block-title = Block this person?
block-words = They cannot write to you any more, and are not told. You can take it back.
verified = Verified
not-verified = Not verified yet
verify = The numbers are the same
safety-number = Safety number
safety-words = Compare it with theirs, side by side or over a call. The same number means that nobody stands between you.
shared-media = Shared media
connection = Connection
round-trip = { $ms } ms there and back
path-lan = On the same network
path-direct = Connected directly
path-circuit = Connected through a relay
path-mailbox = Not connected: messages wait in the mailbox

## Contacts and groups
add-contact = Add a contact
add-who = Name or link
add-who-placeholder = name, name@relay, or kith://…
add-who-hint = A link is surest: it names the person and not only what they are called.
add-greeting = What to say
add-greeting-placeholder = Hi, it is me
add-picture = From a QR picture…
add-ask = Ask for contact
add-asking = Asking…
add-own-title = Your own link
add-own-words = Whoever has it can ask you for contact.
new-group = New group
group-name = Name of the group
group-nobody = Add contacts first: a group is made of people who have accepted you.
group-create = Create
group-creating = Creating…
request-title = Contact request
request-unverified = This name is not verified
request-silent = They have written nothing.
request-remembered = They are in a chat with a device that you removed, and that alone knew them. If you know them, accept: your devices come into that chat. Decline if the device was in other hands.
request-words = If you accept, you can write to each other. If you decline, they are not told.
account-id = Account
accept = Accept
decline = Decline
notice-message = New message
tray-show = Show Kith

## Keys
help-title = Keyboard
shortcut-switcher = Jump to a chat
shortcut-find = Find in the open chat
shortcut-search = Search chats
shortcut-add-contact = Add a contact
shortcut-new-group = New group
shortcut-next-chat = Next or previous chat
shortcut-chat = Chat by its place in the list
shortcut-details = Details of the chat
shortcut-emoji = Emoji
shortcut-record = Record a voice note; again: stop
shortcut-choose = Choose a message
shortcut-send = Send
shortcut-newline = New line
shortcut-edit-last = Edit your last message
shortcut-format = Bold or italic
shortcut-links = The links of a message, the words of a voice note
shortcut-seek = Seek in a voice note; play or pause it
shortcut-scroll = Scroll the messages
shortcut-newest = To the newest message
shortcut-size = Larger, smaller, usual size
shortcut-focus = Next or previous control
shortcut-escape = Close or cancel
shortcut-settings = Settings
shortcut-help = This list
shortcut-quit = Quit Kith

## What went wrong
error-wrong-passphrase = This passphrase is wrong.
error-profile-open = Another Kith on this computer uses this account. Close it, then try again.
error-newer-store = These messages were written by a newer Kith. Install the newest version.
error-store = What is kept on this device is damaged or cannot be read. The last copy can be restored; what came after it is fetched from your contacts.
error-disk = The disk does not take it: it may be full.
error-nobody = Nobody of this name is known.
error-not-found = There is nobody of this name at that relay.
error-ambiguous = Several contacts have this name: use the whole handle.
error-blocked = You have blocked this person; unblock them first.
error-malformed = This is not a name or a link that can be read.
error-network = The other side cannot be reached now.
error-unknown-relay = This relay is not known: use a link, which names it.
error-no-relay = This account has no relay: use a link, or be on the same network.
error-other-account = Behind this name stands another account than before. Compare safety numbers before you write.
error-not-accepted = They have not accepted your request yet.
error-no-code = There is no Kith code in this picture.
error-picture = This is not a picture that can be read. PNG and JPEG can.
error-picture-too-large = This picture is too large.
error-ending = Kith is closing.
error-nonsense = Something unexpected was answered. If it happens again, restart Kith.
unread-count = { $count ->
    [one] { $count } unread message
   *[other] { $count } unread messages
}
members-count = { $count ->
    [one] { $count } member
   *[other] { $count } members
}
group-chosen = { $count ->
    [one] { $count } person chosen
   *[other] { $count } people chosen
}

# Shared by the first start and the settings (`back`, `cancel`, `close` and `copy` are elsewhere).
continue = Continue

# The first start.
welcome-title = Welcome to Kith
welcome-words = Messages that go straight from you to your friends, and that nobody between can read.
welcome-privacy = No phone number, no e-mail address, no advertising.
welcome-invited = { $name } has invited you. Create an account, then you can add each other.
welcome-create = Create an account
welcome-create-words = New to Kith: choose a name and a password.
welcome-log-in = I have an account
welcome-log-in-way = Use it on this device, too.
welcome-local = Use without a relay
welcome-local-words = Only with people on the same network.

welcome-relay-title = Choose a relay
welcome-relay-words = A relay keeps messages for you while you are offline. It cannot read them.
welcome-by-address = By its address
welcome-by-address-words = Whoever runs the relay can tell you.
welcome-by-link = By an invite link
welcome-by-link-words = You use the relay of the person who sent it.
welcome-own-relay = Start one on this computer
welcome-own-relay-words = For people on your network, while Kith runs here.
welcome-own-relay-starting = Starting the relay…
welcome-address = Address of the relay
welcome-address-hint = It begins with /ip4/ or /dns/ and ends with the relay’s key.
welcome-address-good = Relay at { $what }.
welcome-address-missing = Put in the address of a relay.
welcome-address-malformed = This is not an address of a relay. Copy it whole, from the first slash on.
welcome-address-no-key = The end is missing: /p2p/ and the relay’s key.
welcome-address-several = These addresses belong to different relays.
welcome-address-count = These are more addresses than one relay has.
welcome-link = Invite link
welcome-link-hint = Paste the whole link.
welcome-link-from = From { $what }. You can add them as soon as you are signed in.
welcome-link-missing = Paste the link that you were sent.
welcome-link-broken = This link is damaged. Copy it whole, or ask for it again.
welcome-link-no-relay = This link names no relay: its sender uses none.

welcome-account-words = Friends find you by your name.
welcome-log-in-words = Name and password of your account.
welcome-local-account = A passphrase protects your account on this device.
welcome-at-relay = Relay: { $what }
welcome-this-computer = this computer
welcome-handle = Name
welcome-handle-hint = 3 to 32 letters, digits and . _ -
welcome-handle-log-in = Without the part after the @.
welcome-handle-length = A name has 3 to 32 characters.
welcome-handle-character = A name has only a–z, 0–9 and . _ -, not “{ $character }”.
welcome-handle-punctuation = Put . _ - only between letters and digits, one at a time.
welcome-handle-relay = Only the part before the @ goes here.
welcome-invitation = Invitation code
welcome-invitation-hint = Whoever runs the relay gives it out.
welcome-password = Password
password-again = Password once more
password-new = New password
password-present = Password until now
welcome-passphrase = Passphrase
welcome-passphrase-again = Passphrase once more
secret-show = Show
secret-hide = Hide
secret-empty = Fill this in.
secret-differs = This differs from the first one.
password-rule = At least { $count } characters. Four words are good.
password-short =
    { $count ->
        [one] { $count } character to go.
       *[other] { $count } characters to go.
    }
password-long = This is too long.
password-common = This is one of those that are guessed first.
password-pattern = This is a pattern that is easy to guess.
password-handle = This is little more than your name.
password-fair = Fair. A word more makes it better.
password-good = Good.
password-strong = Strong.
welcome-opens = What opens Kith on this device
welcome-keychain = The system’s keychain
welcome-keychain-words = Kith opens without asking.
welcome-by-passphrase = A passphrase
welcome-by-passphrase-words = Kith asks for it whenever it starts.
welcome-by-this-passphrase = This passphrase
welcome-by-this-passphrase-words = Kith asks for it whenever it starts.
welcome-same = The same as the password
welcome-create-submit = Create account
welcome-log-in-submit = Log in
welcome-forgotten = Forgot the password?
welcome-recover = Forgotten password
welcome-recover-words = Your recovery code opens the account. Then you choose a new password.
welcome-recover-submit = Set the new password

welcome-creating = Creating your account
welcome-creating-words = Kith asks the relay and makes your keys. Your password is stretched, so that guessing it takes long: this takes a few seconds.
welcome-creating-local = Kith makes your keys. Your passphrase is stretched, so that guessing it takes long: this takes a few seconds.
welcome-logging-in = Logging in
welcome-logging-in-words = Kith asks the relay and opens your keys with your password. It is stretched, so that guessing it takes long: this takes a few seconds.
welcome-recovering = Getting your account back
welcome-recovering-words = Kith shows the relay that you have the code, and opens your keys. Your new password is stretched, so that guessing it takes long: this takes a few seconds.
welcome-waiting = One moment
welcome-waiting-words = What you cancelled is still coming to its end. Then it goes on with what you filled in now.

recovery-title = Your recovery code
recovery-words = If you forget your password, only this code opens your account. It is shown once, and nobody else has it.
recovery-code = Recovery code
recovery-replaced = Your new recovery code
recovery-replaced-words = The one before is worth nothing any more. If you forget your password, only this code opens your account. It is shown once, and nobody else has it.
recovery-save = Save to a file
recovery-saved = Saved: { $path }
recovery-written = I have written it down
recovery-file = This is the recovery code of your Kith account. Whoever has it can open the account: keep it where nobody else looks.

# What can go wrong at the first start.
error-handle-taken = This name is taken, or too much like one that is.
error-handle = The relay does not take this name.
error-weak-password = This password is too easy to guess.
error-wrong-password = Name or password is wrong.
error-wrong-recovery-code = Name or recovery code is wrong. A code that was used is worth nothing any more.
error-recovery-code = This is not a recovery code, or there is a typing mistake in it.
error-no-device = The account has no such device. It may have been removed already.
error-password-uncertain = The relay’s answer was lost. Try the new password first, then the old one.
error-relay-unreachable = The relay does not answer. Is the address right, and is this device online?
error-wrong-relay-key = Somebody else answers at this address than the relay that it names.
error-registration-closed = This relay takes new accounts by invitation only.
error-invitation = This is not an invitation code.
error-too-many = The relay asks you to wait a while before you try again.
error-try-later = The relay is busy. Try again in a moment.
error-profile-exists = There is a profile on this device already. Close Kith and open it again.
error-own-relay = The relay on this computer cannot be started.
error-own-relay-port = Another program uses the port of the relay on this computer. Close that one, then try again.
error-keychain = The system’s keychain does not answer.
error-keychain-key = The key is not in the system’s keychain.
error-no-dialogue = Nothing here can show a dialogue for files. Install xdg-desktop-portal with the part for your desktop (such as xdg-desktop-portal-gtk), or zenity, and try again. Files to be sent can also be dropped on the conversation.
error-file-exists = There is a file of this name already. Choose another name.
error-onboarding = The relay and Kith did not understand each other. Try again.
error-refused = The relay refuses this.

# The settings.
settings-profile = Profile
settings-account = Relay and account
settings-devices = Devices
settings-privacy = Privacy
settings-notifications = Notifications
settings-sound = Sound
settings-speech = Speech to text
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
settings-too-long = { $count ->
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
settings-password-of = Of your account at its relay
settings-password-words = Other devices stay signed in when it changes, and what opens Kith on this device stays what it is.
settings-password-change = Change the password
settings-password-changed = The new password counts from now on.
settings-password-changing = Your new password is stretched, so that guessing it takes long: this takes a few seconds.
settings-password-forgotten = I have forgotten it, and have the recovery code
settings-password-code = Make a new recovery code, too
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
settings-device-rename = Rename…
settings-device-name = Name of this device
settings-device-name-hint = Your other devices show it, and nobody else does.
settings-device-name-hint-machine = Your other devices show it, and nobody else does. If it is empty, they show “{ $machine }”.
settings-device-remove = Remove…
settings-device-remove-words = This device is taken out of your account for good: it gets nothing new and can send nothing more. What it had stays on it.
settings-device-remove-now = Remove the device
settings-device-password = Password of your account
settings-device-removing = The device is being removed: this takes a few seconds.
settings-device-removed = The device { $device } is removed. Whoever has it still has what it had: change the password if they may know it.
settings-devices-words = Every device of your account reads all of its messages.

settings-receipts = Read receipts
settings-receipts-words = Others see what you have read.
settings-played = Heard voice notes
settings-played-words = Others see which of their voice notes you listened to. Without read receipts they never do.
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
settings-sounds-words = A quiet sound when a message comes, and a quieter one when yours goes.
settings-tray = Stay in the tray
settings-tray-words = Closing the window leaves Kith running, where the system has a tray.
settings-desktop = In the desktop's menu
settings-desktop-words = Kith is among your programs, and kith:// links open here.

sound-microphone = Microphone
sound-speaker = Speaker
sound-default = As the system
sound-no-microphone = There is no microphone now: connect one.
sound-no-speaker = There is no speaker and no headphone now: connect one.
sound-device-away = It is not there now. Connect it, or choose another one.
sound-trial = Try it out
sound-level = Show how loud it is
sound-level-words = The microphone is on while this is. Nothing is kept.
sound-record = Record
sound-stop = Stop
sound-record-words = Say something, for up to { $seconds } seconds, and listen to it. It is not kept.
sound-cleaned = With clean-up
sound-raw = As it was
sound-cleaned-all = All of the clean-up is switched off below; you hear what it would do.
sound-clean-up = Clean-up of recordings
sound-high-pass = Take out rumble
sound-high-pass-words = Wind, steps and the hum of the mains.
sound-noise = Suppress noise
sound-noise-words = Fans, traffic and other steady noise.
sound-gain = Even out the loudness
sound-gain-words = Quiet voices become louder, loud ones quieter.
sound-bitrate = Quality of recordings, kbit/s
sound-bitrate-words = { $kilobits } kbit/s: a minute takes about { $room }.
sound-playing = Playing
sound-play-next = Go on with the next note
sound-play-next-words = When a voice note ends, the next one that you have not heard begins.

speech-writing-down = Voice notes become text
speech-automatic = Automatically
speech-automatic-words = When a voice note comes, it is written down on this device. Otherwise only when you ask for it.
speech-attach = Give others the text of mine
speech-attach-words = Your voice notes come with their text, so that a weak device needs no model.
speech-mains = Only on mains power
speech-mains-words = Not on battery: listening takes much of it.
speech-mains-off = This computer runs on its battery now: nothing is written down by itself.
speech-up-to = Only notes that are not longer than
speech-seconds = { $count } s
speech-minutes = { $count } min
speech-languages = Language
speech-language = What is spoken
speech-language-auto = Automatic
speech-language-change = Change
speech-language-words = Each chat can have a language of its own, in its details.
speech-translate = Write English
speech-translate-words = Whatever is spoken. Not every model can do that.
speech-mirrors = Where models come from
speech-official = The official host, huggingface.co, is asked after the addresses above. Every model is checked by its SHA-256, wherever it comes from.
speech-mirror = Another address
speech-mirror-words = A folder of models: that of your relay, or one of your own.
speech-mirror-add = Add
speech-mirror-remove = Do not ask it any more

models-only-test = Only the model that comes with Kith is here. It shows how this works: it knows some 300 words of one synthetic voice, in English, and writes nonsense for everything else. Fetch a real one for real speech; nothing that is said ever leaves this device.
models-get-recommended = Fetch { $name } ({ $size })
models-best = Always the best that is here
models-best-words = { $name } listens now.
models-here = Models on this device
models-more = Models that can be fetched
models-in-use = in use
models-recommended = recommended
models-built-in = comes with Kith
models-memory = { $memory } of memory
models-all-languages = about 100 languages
models-translates = into English, too
models-speed = { $times }× as fast as speech here
models-download = Fetch
models-resume = Go on
models-use = Use it
models-measure = Measure
models-measuring = Measuring…
models-delete = Delete it
models-delete-words = It would have to be fetched again.
models-import = Take one from a file…
models-importing = The file is being checked…
models-import-words = A model that you have already, or got from a friend: its file is copied and checked.
model-kith-test-en = For trying out: about 300 words of one synthetic voice, and not for human speech.
model-tiny = The smallest for all languages: fast on any machine, and often wrong.
model-tiny-en = The smallest for English: fast on any machine, and sometimes wrong.
model-base = Quick, and good enough for clear speech in a common language.
model-base-en = Quick, and good for clear English.
model-base-q5-1 = Base in less than half of the space, nearly as good.
model-small = A good choice for most machines and languages.
model-small-en = A good choice for English on most machines.
model-small-q5-1 = Small in less than half of the space, nearly as good.
model-medium = Very good, and slow without a fast machine.
model-medium-q5-0 = Medium in about a third of the space, nearly as good.
model-large-v3-turbo-q5-0 = Nearly the best, at the speed of medium or better, in little space. It does not translate.
model-large-v3-turbo = Nearly the best, at the speed of medium or better. It does not translate.
model-large-v3 = The best, for fast machines with much memory.
model-silero-v6-2-0 = Finds where somebody speaks, better in noise than what is built in. It writes nothing down by itself.

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
settings-refused = Not taken
settings-refused-count =
    { $count ->
        [one] { $count } piece of data that came was no good and was left out
       *[other] { $count } pieces of data that came were no good and were left out
    }
settings-warnings = To be looked at
settings-contacts = Contacts
settings-no-contacts = Nobody yet.
settings-round-trip = { $path }, { $ms } ms
settings-log = Log
settings-log-words = For whoever helps you. No message and no key is in it.
settings-log-last = The last 500 lines

settings-about-words = Kith takes messages straight from one person to another. What is said stays between them.
settings-version = Version
settings-licence = Licence
settings-made-with = Made with

error-picture-large = This file is too large for a picture.

## What Kith says of itself, by the core's words for it. A length stands in it as after “for” or “in”.

length-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
length-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
length-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
length-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}

told-best = connected directly
told-not-a-contact = not among the contacts
told-direct-off = direct connections are switched off
told-no-address = no address of them is known
told-not-tried = not tried yet
told-connecting = connecting
told-ended = the connection has ended
told-no-device = no device of theirs is known
told-unreachable = nobody answers at the known addresses
told-wrong-key = somebody else answers at this address
told-backing-off = nobody answered; the next try is in { $length }
told-lost = the connection was lost
told-timed-out = no answer in time
told-unsupported = the other side uses another version of Kith
told-peer-refused = the other side refused the request
told-nonsense = the answer makes no sense
told-busy = too much is under way; it is tried again
told-network-broken = the network does not work on this device
told-shut-down = Kith is closing
told-no-relay = this account has no relay
told-relay-away = the relay cannot be reached; it goes on when it can
told-relay-refused = the relay refuses this
told-not-signed-in = the relay does not know this device
told-too-many = the relay asks for a pause; again in { $length }
told-try-later = the relay is busy; it is tried again
told-not-stored = what waits at the relay cannot be stored here now
told-waits-for-keys = this device waits to be added again; the message is kept and sent then
told-not-member = this device is not in this chat any more
told-blocked = you have blocked this person; unblock them first
told-mailbox-full = their mailbox is full; the message is kept and sent when there is room
told-mailbox-closed = their relay takes no messages from you now; the message is kept and sent when it does
told-device-refuses = their device takes no messages from you now; the message is kept and sent when it does
told-no-keeper = no relay keeps this file: it goes when a device of theirs can be reached directly
told-file-gone = the file is not on this device any more, so it cannot be sent
told-too-large-for-relay = the file is larger than the relay takes
told-quota = your room at the relay is used up until what waits there was fetched
told-nobody-has-it = the sender is away now, and their relay does not have it; it is fetched later by itself
told-lied-to = what came is not what the sender announced; it is fetched from somebody else
told-transfer-disk-full = the disk is full: make room, and it goes on by itself
told-transfer-failed = the disk does not take or give the file
told-model-unavailable = The model could not be downloaded from anywhere. Is this device online?
told-model-disk-full = The disk is full. Make room, then go on with the download.
told-model-failed = The model could not be downloaded.
told-microphone-away = The microphone that you chose is not there: “{ $name }” is used until it is.
told-speaker-away = The speaker that you chose is not there: “{ $name }” plays until it is.
told-disk-full = The disk is full: no message can be sent or received. Make room, and Kith goes on by itself.
told-profile-unwritable = What is kept on this device cannot be written, so no message can be sent or received. Nothing is lost, and Kith tries again by itself.
told-begun-anew = What was under way had to be begun anew. Nothing is lost.
told-recovered = What is kept on this device can be written again: Kith goes on.
told-snapshot-failed = The safety copy of what is kept here could not be written.
told-choices-unreadable = Your choices on this device cannot be read, so that everything you may have hidden is hidden. Make them again in the settings.
told-speech-choices-unreadable = Your choices for speech cannot be read. Make them again in the settings.
told-clock-ahead = The clock of this device is { $length } ahead of your relay’s. Set it right: what you send shows its time to others.
told-clock-behind = The clock of this device is { $length } behind your relay’s. Set it right: what you send shows its time to others.
told-record-old = A relay shows an old record of { $name }. It may hide a change of their devices.
told-record-forked = There are two different records of { $name }. Compare safety numbers before you write.
told-home-lied = Whoever keeps the log of the chat “{ $name }” has shown two versions of it. The proof is kept, and the chat moves elsewhere.
told-home-lost = Whoever keeps the log of the chat “{ $name }” cannot be reached, or has lost it. Messages flow, but members cannot be changed.
told-not-added = { $other } was not added to the group “{ $name }”: their devices could not be had, or the group takes nobody else. Try again when they have been online.
told-says-member = { $other } is in the group “{ $name }”, they say, and not in the old copy that this device went back to. Add them again if they belong there.
told-feed-forked = A device ({ $other }) signed two different messages for one place in the chat “{ $name }”. It may have been copied.
told-device-removed = This device was removed from the account. It gets nothing new and can send nothing; what it had is still here.
told-keys-lost = This device lost its keys for the chat “{ $name }” and has asked to be added again. What you write is kept and sent then.
told-name-of-another = { $name } asks for contact under the name { $handle }, which belongs to your contact { $other }. Compare safety numbers before you accept.
told-other-account = Behind { $handle } stands another account than that of your contact { $other }. The relay may have given the name away, or may be lying. Compare safety numbers before you trust it.
told-request-refused = Your contact request to { $name } was not taken.

## More of what goes wrong

error-no-profile = There is no account on this device yet.
error-no-directory = This system does not say where an account belongs.
error-no-account = There is no account in what is kept here. Log in again.
error-start = Kith cannot start with this account. Close other programs that use the network port, then try again.
error-disk-full = The disk is full. Make room, then try again.
error-address = This is not an address that can be read.
error-wrong-record = The relay shows another account than the link names.
error-no-conversation = This chat does not exist any more.
error-no-contact = There is no such contact or request any more.
error-no-message = This message is not here any more.
error-too-long = This text is too long. Send it in parts, or as a file.
error-not-allowed = You are not allowed to do that in this chat.
error-not-member = This device is not in this chat any more.
error-rejoining = This device waits to be added to the chat again. What you write is kept and sent then.
error-command = This could not be done.
error-no-voice-note = There is no voice note here to be turned into text.
error-no-file = This message has no file.
error-not-here = This file is not on this device yet. Fetch it first.
error-not-saved = The file could not be saved there. Choose another place.
error-too-large = This file is larger than 2 GiB, which is the most that can be sent.
error-attachment = This file is damaged, or the disk does not give it.
error-file = This file cannot be read.
error-export = Nothing was saved there. Choose another place.
error-erase = Not everything could be deleted. Try again.
error-sound = This sound cannot be read. It may be damaged.
error-sound-too-long = A voice note can last an hour at most.
error-sound-empty = There is no sound in this recording.
error-no-sound-system = The sound system of this computer does not answer. Log in again, or start PipeWire or PulseAudio.
error-no-microphone = No microphone was found. Connect one, then try again.
error-no-speaker = No speaker or headphone was found. Connect one, then try again.
error-microphone-denied = Kith may not use the microphone. Allow it in the system’s privacy settings.
error-speaker-denied = Kith may not play sound. Allow it in the system’s settings.
error-sound-busy = Another program is using the sound device. Close it, or choose another device in the settings.
error-sound-gone = The sound device was disconnected.
error-sound-unsupported = The sound device offers no format that Kith can use. Choose another one in the settings.
error-sound-device = The sound device has failed. Connect it again, or choose another one in the settings.
error-model = This speech model is not on this device. See the settings for speech.
error-model-download = The speech model could not be downloaded now. Is this device online?
error-paused = The download was paused. The next one goes on from there.
error-cancelled = This was called off.
error-speech = This voice note could not be turned into text.
error-no-transcript = This voice note has no text yet.
error-not-running = Kith does not answer any more. Start it again.
error-closed = The connection to Kith was closed. Start it again.
error-socket-not-ours = Something that is not Kith’s own lies in the folder of this account. Move it away, then try again.
error-socket-path = The folder of this account cannot be used.
error-connection-broken = The connection to the Kith that runs already was lost.
error-line-too-long = The answer was too long to be read.
error-control-version = Another version of Kith runs already. Close it, and install the newest one.
error-model-file = This file is not a speech model that Kith knows, or it is damaged.
error-mirror = This is not the address of a folder, such as https://example.org/models.
error-many-downloads = Other models are being downloaded. Wait for one of them, or pause one.
