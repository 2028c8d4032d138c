# Shared by the first start and the settings (`back`, `cancel`, `close` and `copy` are elsewhere).
continue = Continue
copied = Copied

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
welcome-password-again = Password once more
welcome-passphrase = Passphrase
welcome-passphrase-again = Passphrase once more
welcome-show = Show
welcome-hide = Hide
welcome-empty = Fill this in.
welcome-differs = This differs from the first one.
welcome-password-rule = At least { $count } characters. Four words are good.
welcome-password-short =
    { $count ->
        [one] { $count } character to go.
       *[other] { $count } characters to go.
    }
welcome-password-long = This is too long.
welcome-password-common = This is one of those that are guessed first.
welcome-password-pattern = This is a pattern that is easy to guess.
welcome-password-handle = This is little more than your name.
welcome-password-fair = Fair. A word more makes it better.
welcome-password-good = Good.
welcome-password-strong = Strong.
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

welcome-creating = Creating your account
welcome-creating-words = Kith asks the relay and makes your keys. Your password is stretched, so that guessing it takes long: this takes a few seconds.
welcome-creating-local = Kith makes your keys. Your passphrase is stretched, so that guessing it takes long: this takes a few seconds.
welcome-logging-in = Logging in
welcome-logging-in-words = Kith asks the relay and opens your keys with your password. It is stretched, so that guessing it takes long: this takes a few seconds.
welcome-waiting = One moment
welcome-waiting-words = What you cancelled is still coming to its end. Then it goes on with what you filled in now.

welcome-recovery-title = Your recovery code
welcome-recovery-words = If you forget your password, only this code opens your account. It is shown once, and nobody else has it.
welcome-recovery-save = Save to a file
welcome-recovery-saved = Saved: { $path }
welcome-recovery-written = I have written it down
welcome-recovery-file = This is the recovery code of your Kith account. Whoever has it can open the account: keep it where nobody else looks.

# What can go wrong at the first start.
error-handle-taken = This name is taken, or too much like one that is.
error-handle = The relay does not take this name.
error-weak-password = This password is too easy to guess.
error-wrong-password = Name or password is wrong.
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
error-file-exists = There is a file of this name already. Choose another name.
error-onboarding = The relay and Kith did not understand each other. Try again.
error-refused = The relay refuses this.
