# What the window says, in Ukrainian.

app-name = Kith
starting = Відкриваю…
loading = Завантажую…
close = Закрити
cancel = Скасувати
back = Назад
quit = Завершити Kith
copied = Скопійовано
copy = Копіювати
copy-link = Копіювати посилання
discard = Відкинути
you = Ви
today = Сьогодні
yesterday = Вчора
day-and-time = { $day }, { $time }
date-day-month = { $day } { $month }
date-day-month-year = { $day } { $month } { $year }
date-month-day = { $day } { $month }
date-month-day-year = { $day } { $month } { $year }
size-b = { $size } Б
size-kb = { $size } кБ
size-mb = { $size } МБ
size-gb = { $size } ГБ
month-1 = січня
month-2 = лютого
month-3 = березня
month-4 = квітня
month-5 = травня
month-6 = червня
month-7 = липня
month-8 = серпня
month-9 = вересня
month-10 = жовтня
month-11 = листопада
month-12 = грудня
month-short-1 = січ.
month-short-2 = лют.
month-short-3 = бер.
month-short-4 = квіт.
month-short-5 = трав.
month-short-6 = черв.
month-short-7 = лип.
month-short-8 = серп.
month-short-9 = вер.
month-short-10 = жовт.
month-short-11 = лист.
month-short-12 = груд.
weekday-short-1 = пн
weekday-short-2 = вт
weekday-short-3 = ср
weekday-short-4 = чт
weekday-short-5 = пт
weekday-short-6 = сб
weekday-short-7 = нд

## Opening a profile
unlock-title = З поверненням
unlock-words = Ваші повідомлення на цьому пристрої зашифровано. Їх відкриває парольна фраза.
unlock-passphrase = Парольна фраза
unlock-open = Відкрити
unlock-opening = Відкриваю…
failure-title = Kith не може відкрити ваші повідомлення
failure-retry = Спробувати ще раз
failure-restore = Відновити останню копію

## The list of chats
chats = Чати
settings = Налаштування
list-search = Пошук
list-loading = Завантажую чати…
list-failed = Не вдається показати чати
list-empty-title = Тут поки що нікого немає
list-empty-words = Додайте когось за іменем або надішліть своє посилання.
list-nothing-title = Нічого не знайдено
list-nothing-words = Чату з такою назвою немає.
list-request = хоче написати вам
list-draft = Чернетка:
list-asked = очікує відповіді
list-blocked = заблоковано
list-new = Привітайтеся
choose-title = Виберіть чат
choose-words = Ctrl+K відкриває чат за кількома літерами імені.
switcher-query = Перейти до…
connecting = З’єднуємося з ретранслятором…
offline = Немає зв’язку з ретранслятором. Повідомлення чекають тут і підуть самі.

## A conversation
typing = друкує…
history-failed = Не вдається показати повідомлення
history-start = Це початок листування
history-empty-title = Повідомлень поки немає
history-empty = Те, що ви та { $name } напишете тут, не прочитає більше ніхто.
history-asked = Запит надіслано: { $name }. Написане піде, коли його приймуть.
unread-line = Нові повідомлення
composer-placeholder = Повідомлення
message-too-long = Повідомлення не більше 16 КБ. Надішліть його частинами.
voice-play = Відтворити
voice-write-down = Перетворити на текст
voice-listens = Розпізнавання: { $percent } %. Натисніть, щоб зупинити.
voice-pause = Пауза
player-plays = Голосове повідомлення: { $name }
player-show = Показати повідомлення
player-stop = Зупинити
spoken-whole = Показати весь текст
spoken-mine = Розшифровано на цьому пристрої
spoken-sender = Розшифровано відправником
spoken-translated = перекладено англійською
spoken-mended = виправлено вручну
spoken-model = Модель: { $model }
spoken-inaudible = нерозбірливо
spoken-mend = Виправити розшифровку
spoken-mending = Виправлення розшифровки
spoken-too-long = Ця розшифровка задовга, щоб виправити її тут: понад 16 КБ.
find = Знайти в цьому чаті
find-placeholder = Знайти слова, зокрема сказані
find-looking = Пошук…
find-nothing = Нічого не знайдено
find-at = { $at } з { $all }
find-older = Раніше
find-newer = Пізніше
find-play = Слухати звідси
file-fetch = Завантажити файл
file-save = Зберегти файл
said-file = Файл
recording-begin = Записати голосове: натисніть або тримайте, поки говорите
recording-discard = Викинути
recording-send = Надіслати
recording-opens = Відкривається мікрофон…
recording-resume = Продовжити
recording-stop = Зупинити й прослухати перед надсиланням
recording-lost = Мікрофон зник: шукаємо його або інший…
recording-unsaved = Диск поки не приймає запис; він у пам’яті, доки його не надіслано.
recording-waits = Запис, який не надіслано
recording-ends = Хвилинку…
recording-listen = Прослухати
recording-pull = Ліворуч — викинути, вгору — звільнити руки
recording-dropped = Запис викинуто
recording-take-back = Повернути
models-offer = Вбудована модель — лише для проби: вона знає близько 300 слів одного синтезованого голосу. Для живої мови завантажте справжню.
models-show = Моделі…
language-search = Знайти мову
language-none = Такої мови тут немає.
listening = Голосові повідомлення
listening-as-all = Як у налаштуваннях
listening-as-all-is = Як у налаштуваннях: { $language }
shared-media-empty = Тут будуть файли й голосові цього чату.
shared-media-more = Показати старіші
show-whole = Показати повідомлення повністю
sending = Надсилаю…
edited = змінено
editing = Зміна повідомлення
edit = Змінити
reply = Відповісти
delete = Видалити
offer-title = { $count ->
    [one] Надіслати { $count } файл у чат «{ $name }»?
    [few] Надіслати { $count } файли у чат «{ $name }»?
   *[other] Надіслати { $count } файлів у чат «{ $name }»?
}
offer-send = Надіслати
delete-title = Видалити це повідомлення?
delete-words = Воно зникне на всіх пристроях усіх учасників чату. Це не можна скасувати.
attach = Прикріпити файл
emoji = Емодзі
emoji-search = Пошук емодзі
emoji-recent = Нещодавні
said-voice = Голосове повідомлення
said-deleted = Повідомлення видалено
said-left = залишив(-ла) групу
said-missing = Це повідомлення ще не надійшло
said-malformed = Це повідомлення пошкоджено
said-unknown = Для цього повідомлення потрібна новіша версія Kith
member-left = { $name } більше не в групі
state-played = Прослухано
state-queued = Чекає на цьому пристрої на відправлення
state-sent = Надіслано
state-sent-mailbox = Чекає в поштовій скриньці на ретрансляторі
state-delivered = Доставлено на пристрій
state-read = Прочитано
blocked-words = Ви заблокували цю людину. Нічого не надсилається й не приймається.

## Details
details = Подробиці
mute = Без звуку
pin = Угорі списку
block = Заблокувати
unblock = Розблокувати
block-title = Заблокувати цю людину?
block-words = Ця людина більше не зможе писати вам і не дізнається про це. Блокування можна зняти.
verified = Особу підтверджено
not-verified = Особу не підтверджено
verify = Числа збігаються
safety-number = Код безпеки
safety-words = Звірте його під час зустрічі або телефоном. Якщо числа збігаються, між вами нікого немає.
shared-media = Спільні файли
connection = З’єднання
round-trip = { $ms } мс туди й назад
path-lan = У тій самій мережі
path-direct = Пряме з’єднання
path-circuit = З’єднання через ретранслятор
path-mailbox = Немає з’єднання: повідомлення чекають у скриньці

## Contacts and groups
add-contact = Додати контакт
add-who = Ім’я або посилання
add-who-placeholder = ім’я, ім’я@ретранслятор або kith://…
add-who-hint = Найнадійніше посилання: воно вказує на людину, а не лише на ім’я.
add-greeting = Що сказати
add-greeting-placeholder = Привіт, це я
add-picture = Із картинки з QR-кодом…
add-ask = Надіслати запит
add-asking = Надсилаю…
add-own-title = Ваше посилання
add-own-words = За ним вам можна надіслати запит.
new-group = Нова група
group-name = Назва групи
group-nobody = Спершу додайте контакти: до групи входять ті, хто вас прийняв.
group-create = Створити
group-creating = Створюю…
request-title = Запит на спілкування
request-unverified = Це ім’я не підтверджено
request-silent = Без повідомлення.
request-remembered = Ця людина має чат із пристроєм, який ви вилучили; інші ваші пристрої її не знають. Якщо ви знайомі, прийміть: ваші пристрої увійдуть до цього чату. Якщо пристрій був у чужих руках, відхиліть.
request-words = Прийнявши, ви зможете писати одне одному. Про відмову людина не дізнається.
account-id = Обліковий запис
accept = Прийняти
decline = Відхилити
notice-message = Нове повідомлення
tray-show = Показати Kith

## Keys
help-title = Клавіатура
shortcut-switcher = Перейти до чату
shortcut-find = Знайти у відкритому чаті
shortcut-search = Шукати чати
shortcut-add-contact = Додати контакт
shortcut-new-group = Нова група
shortcut-next-chat = Наступний або попередній чат
shortcut-chat = Чат за місцем у списку
shortcut-details = Подробиці чату
shortcut-emoji = Емодзі
shortcut-record = Записати голосове повідомлення; ще раз — зупинити
shortcut-choose = Вибрати повідомлення
shortcut-send = Надіслати
shortcut-newline = Новий рядок
shortcut-edit-last = Змінити своє останнє повідомлення
shortcut-format = Жирний або курсив
shortcut-links = Посилання повідомлення, слова голосового
shortcut-seek = Перемотати голосове; слухати або зупинити
shortcut-scroll = Прокрутити повідомлення
shortcut-newest = До останнього повідомлення
shortcut-size = Більше, менше, звичайний розмір
shortcut-focus = Наступний або попередній елемент
shortcut-escape = Закрити або скасувати
shortcut-settings = Налаштування
shortcut-help = Цей список
shortcut-quit = Завершити Kith

## What went wrong
error-wrong-passphrase = Неправильна парольна фраза.
error-profile-open = Цей обліковий запис відкрито в іншому Kith на цьому комп’ютері. Закрийте його й повторіть.
error-newer-store = Ці повідомлення записано новішою версією Kith. Установіть її.
error-store = Дані на цьому пристрої пошкоджено або вони не читаються. Можна відновити останню копію; решта надійде від ваших співрозмовників.
error-disk = Диск не приймає дані: можливо, він заповнений.
error-nobody = Людину з таким іменем не знайдено.
error-not-found = На цьому ретрансляторі немає людини з таким іменем.
error-ambiguous = Таке ім’я мають кілька контактів: укажіть його повністю.
error-blocked = Цю людину ви заблокували; спершу зніміть блокування.
error-malformed = Це не схоже на ім’я чи посилання.
error-network = Зв’язатися зараз не вдається.
error-unknown-relay = Цей ретранслятор невідомий: скористайтеся посиланням, у ньому він указаний.
error-no-relay = Цей обліковий запис не має ретранслятора: скористайтеся посиланням або спільною мережею.
error-other-account = За цим іменем тепер інший обліковий запис. Звірте коди безпеки, перш ніж писати.
error-not-accepted = Ваш запит ще не прийняли.
error-no-code = На цій картинці немає коду Kith.
error-picture = Цю картинку не вдається прочитати. Підходять PNG і JPEG.
error-picture-too-large = Ця картинка завелика.
error-ending = Kith завершує роботу.
error-nonsense = Отримано несподівану відповідь. Якщо це повториться, перезапустіть Kith.
unread-count = { $count ->
    [one] { $count } непрочитане повідомлення
    [few] { $count } непрочитані повідомлення
   *[many] { $count } непрочитаних повідомлень
}
members-count = { $count ->
    [one] { $count } учасник
    [few] { $count } учасники
   *[many] { $count } учасників
}
group-chosen = { $count ->
    [one] { $count } людину вибрано
    [few] { $count } людини вибрано
   *[many] { $count } людей вибрано
}

# Спільне для першого запуску й налаштувань (`back`, `cancel`, `close` і `copy` — в іншому місці).
continue = Далі

# Перший запуск.
welcome-title = Вітаємо в Kith
welcome-words = Повідомлення йдуть просто від вас до друзів, і ніхто дорогою не може їх прочитати.
welcome-privacy = Без номера телефону, без пошти, без реклами.
welcome-invited = Вас запрошує { $name }. Створіть обліковий запис — і зможете додати одне одного.
welcome-create = Створити обліковий запис
welcome-create-words = Уперше в Kith: оберіть ім’я та пароль.
welcome-log-in = У мене є обліковий запис
welcome-log-in-way = Користуватися ним і на цьому пристрої.
welcome-local = Без ретранслятора
welcome-local-words = Лише з людьми в тій самій мережі.

welcome-relay-title = Оберіть ретранслятор
welcome-relay-words = Ретранслятор зберігає ваші повідомлення, доки ви не в мережі. Прочитати їх він не може.
welcome-by-address = За адресою
welcome-by-address-words = Її підкаже той, хто тримає ретранслятор.
welcome-by-link = За посиланням-запрошенням
welcome-by-link-words = Ви потрапите на ретранслятор того, хто його надіслав.
welcome-own-relay = Запустити на цьому комп’ютері
welcome-own-relay-words = Для людей у вашій мережі, доки Kith тут працює.
welcome-own-relay-starting = Ретранслятор запускається…
welcome-address = Адреса ретранслятора
welcome-address-hint = Починається з /ip4/ або /dns/ і закінчується ключем ретранслятора.
welcome-address-good = Ретранслятор: { $what }.
welcome-address-missing = Введіть адресу ретранслятора.
welcome-address-malformed = Це не адреса ретранслятора. Скопіюйте її цілком, від першої скісної риски.
welcome-address-no-key = Бракує кінця: /p2p/ і ключа ретранслятора.
welcome-address-several = Це адреси різних ретрансляторів.
welcome-address-count = Один ретранслятор не має стільки адрес.
welcome-link = Посилання-запрошення
welcome-link-hint = Вставте посилання цілком.
welcome-link-from = Від { $what }. Додати цю людину можна буде одразу після входу.
welcome-link-missing = Вставте посилання, яке вам надіслали.
welcome-link-broken = Посилання пошкоджене. Скопіюйте його цілком або попросіть надіслати знову.
welcome-link-no-relay = У посиланні немає ретранслятора: відправник його не має.

welcome-account-words = За іменем вас знаходять друзі.
welcome-log-in-words = Ім’я та пароль вашого облікового запису.
welcome-local-account = Парольна фраза захищає ваш обліковий запис на цьому пристрої.
welcome-at-relay = Ретранслятор: { $what }
welcome-this-computer = цей комп’ютер
welcome-handle = Ім’я
welcome-handle-hint = Від 3 до 32 латинських літер, цифр і знаків . _ -
welcome-handle-log-in = Без частини після @.
welcome-handle-length = Ім’я має від 3 до 32 символів.
welcome-handle-character = В імені бувають лише a–z, 0–9 та . _ -, але не «{ $character }».
welcome-handle-punctuation = Знаки . _ - ставлять лише між літерами й цифрами, по одному.
welcome-handle-relay = Сюди йде лише частина до @.
welcome-invitation = Код запрошення
welcome-invitation-hint = Його видає той, хто тримає ретранслятор.
welcome-password = Пароль
password-again = Пароль ще раз
password-new = Новий пароль
password-present = Попередній пароль
welcome-passphrase = Парольна фраза
welcome-passphrase-again = Парольна фраза ще раз
secret-show = Показати
secret-hide = Сховати
secret-empty = Заповніть це поле.
secret-differs = Не збігається з першим.
password-rule =
    { $count ->
        [one] Щонайменше { $count } символ. Чотири слова — добре.
        [few] Щонайменше { $count } символи. Чотири слова — добре.
       *[many] Щонайменше { $count } символів. Чотири слова — добре.
    }
password-short =
    { $count ->
        [one] Потрібен ще { $count } символ.
        [few] Потрібно ще { $count } символи.
       *[many] Потрібно ще { $count } символів.
    }
password-long = Задовго.
password-common = Такий підбирають першим.
password-pattern = Це візерунок, який легко вгадати.
password-handle = Тут майже саме ваше ім’я.
password-fair = Годиться. З іще одним словом буде краще.
password-good = Добрий.
password-strong = Надійний.
welcome-opens = Чим відкривати Kith на цьому пристрої
welcome-keychain = Системним сховищем ключів
welcome-keychain-words = Kith відкривається без запитань.
welcome-by-passphrase = Парольною фразою
welcome-by-passphrase-words = Kith питає її під час кожного запуску.
welcome-by-this-passphrase = Цією парольною фразою
welcome-by-this-passphrase-words = Kith питає її під час кожного запуску.
welcome-same = Та сама, що й пароль
welcome-create-submit = Створити обліковий запис
welcome-log-in-submit = Увійти
welcome-forgotten = Забули пароль?
welcome-recover = Забутий пароль
welcome-recover-words = Код відновлення відкриє ваш обліковий запис. Потім ви виберете новий пароль.
welcome-recover-submit = Задати новий пароль

welcome-creating = Створюємо ваш обліковий запис
welcome-creating-words = Kith звертається до ретранслятора і створює ваші ключі. Пароль підсилюється, щоб його довго підбирали: це забере кілька секунд.
welcome-creating-local = Kith створює ваші ключі. Парольна фраза підсилюється, щоб її довго підбирали: це забере кілька секунд.
welcome-logging-in = Входимо
welcome-logging-in-words = Kith звертається до ретранслятора і відкриває ваші ключі паролем. Він підсилюється, щоб його довго підбирали: це забере кілька секунд.
welcome-recovering = Повертаємо ваш обліковий запис
welcome-recovering-words = Kith показує ретранслятору, що код у вас, і відкриває ваші ключі. Новий пароль підсилюється, щоб його довго підбирали: це забере кілька секунд.
welcome-waiting = Хвилинку
welcome-waiting-words = Те, що ви скасували, ще завершується. Потім продовжимо з тим, що ви ввели зараз.

recovery-title = Ваш код відновлення
recovery-words = Якщо ви забудете пароль, лише цей код відкриє ваш обліковий запис. Його показують один раз, і більше ніхто його не має.
recovery-code = Код відновлення
recovery-replaced = Ваш новий код відновлення
recovery-replaced-words = Попередній код більше не діє. Якщо ви забудете пароль, лише цей код відкриє ваш обліковий запис. Його показують один раз, і більше ніхто його не має.
recovery-save = Зберегти у файл
recovery-saved = Збережено: { $path }
recovery-written = Код записано
recovery-file = Це код відновлення вашого облікового запису Kith. Він відкриває запис кожному, хто його має: зберігайте його там, куди ніхто не зазирає.

# Що може не вдатися під час першого запуску.
error-handle-taken = Це ім’я зайняте або надто схоже на зайняте.
error-handle = Ретранслятор не приймає такого імені.
error-weak-password = Цей пароль надто легко вгадати.
error-wrong-password = Неправильне ім’я або пароль.
error-wrong-recovery-code = Неправильне ім’я або код відновлення. Використаний код більше не діє.
error-recovery-code = Це не код відновлення, або в ньому є помилка.
error-no-device = В обліковому записі немає такого пристрою. Можливо, його вже вилучено.
error-password-uncertain = Відповідь ретранслятора загубилася. Спробуйте спершу новий пароль, потім старий.
error-relay-unreachable = Ретранслятор не відповідає. Чи правильна адреса і чи є зв’язок?
error-wrong-relay-key = За цією адресою відповідає не той ретранслятор, який у ній названо.
error-registration-closed = Цей ретранслятор приймає нові облікові записи лише за запрошенням.
error-invitation = Це не код запрошення.
error-too-many = Ретранслятор просить трохи зачекати і спробувати знову.
error-try-later = Ретранслятор зайнятий. Спробуйте трохи згодом.
error-profile-exists = На цьому пристрої вже є профіль. Закрийте Kith і відкрийте знову.
error-own-relay = Не вдалося запустити ретранслятор на цьому комп’ютері.
error-own-relay-port = Порт ретранслятора на цьому комп’ютері зайняла інша програма. Закрийте її та спробуйте знову.
error-keychain = Системне сховище ключів не відповідає.
error-keychain-key = У системному сховищі немає потрібного ключа.
error-no-dialogue = Тут нічим показати вікно вибору файлів. Установіть xdg-desktop-portal із частиною для вашої стільниці (наприклад, xdg-desktop-portal-gtk) або zenity і спробуйте знову. Файли для надсилання можна й перетягнути в чат.
error-file-exists = Файл із такою назвою вже є. Оберіть іншу назву.
error-onboarding = Ретранслятор і Kith не зрозуміли одне одного. Спробуйте ще раз.
error-refused = Ретранслятор відмовляє.

# Налаштування.
settings-profile = Профіль
settings-account = Ретранслятор і обліковий запис
settings-devices = Пристрої
settings-privacy = Приватність
settings-notifications = Сповіщення
settings-sound = Звук
settings-speech = Мовлення в текст
settings-appearance = Вигляд
settings-language = Мова
settings-data = Дані
settings-diagnostics = Діагностика
settings-about = Про програму
settings-coming = Хвилинку…
settings-again = Ще раз
settings-refresh = Оновити
settings-save = Зберегти
settings-saved = Збережено

settings-profile-words = Це бачать усі, з ким ви листуєтеся. Сторонні — ні.
settings-profile-name = Ім’я
settings-profile-name-hint = Яким вас бачать друзі. Без нього вони бачать ім’я на ретрансляторі.
settings-profile-about = Про себе
settings-profile-about-hint = { $count ->
        [one] Лишився { $count } символ.
        [few] Лишилося { $count } символи.
       *[many] Лишилося { $count } символів.
    }
settings-too-long = { $count ->
        [one] Зайвий { $count } символ.
        [few] Зайві { $count } символи.
       *[many] Зайвих { $count } символів.
    }
settings-picture-choose = Обрати зображення…
settings-picture-remove = Прибрати зображення
settings-picture-reading = Зображення читається…
settings-picture-hint = PNG або JPEG. Видно буде середину.

settings-account-who = Хто ви
settings-handle = Ім’я на ретрансляторі
settings-no-handle = Немає: ви обходитеся без ретранслятора
settings-account-id = Номер облікового запису
settings-relay = Ретранслятор
settings-relay-address = Адреса ретранслятора
settings-password-of = Від вашого облікового запису на ретрансляторі
settings-password-words = Коли він змінюється, інші пристрої лишаються в обліковому записі, а те, чим відкривається Kith на цьому пристрої, лишається тим самим.
settings-password-change = Змінити пароль
settings-password-changed = Тепер діє новий пароль.
settings-password-changing = Новий пароль підсилюється, щоб його довго підбирали: це забере кілька секунд.
settings-password-forgotten = Пароль забуто, але є код відновлення
settings-password-code = Створити й новий код відновлення
settings-no-relay = Немає
settings-link = Посилання-запрошення
settings-link-words = Той, хто має це посилання, може попроситися до вас у контакти.
settings-own-relay = Ретранслятор на цьому комп’ютері
settings-own-relay-state = Стан
settings-own-relay-running = Працює, доки працює Kith
settings-own-relay-starting = Запускається…
settings-own-relay-off = Не працює
settings-own-relay-address = Адреса для друзів
settings-own-relay-start = Запустити знову

settings-device-this = цей пристрій
settings-device-here = використовується зараз
settings-device-away = немає зв’язку
settings-device-since = Додано: { $day } · { $state }
settings-device-rename = Перейменувати…
settings-device-name = Назва цього пристрою
settings-device-name-hint = Її показують ваші інші пристрої і більше ніхто.
settings-device-name-hint-machine = Її показують ваші інші пристрої і більше ніхто. Якщо вона порожня, вони показують «{ $machine }».
settings-device-remove = Вилучити…
settings-device-remove-words = Цей пристрій назавжди вилучається з вашого облікового запису: до нього більше нічого не надійде, і надіслати з нього нічого не можна. Те, що на ньому було, на ньому лишиться.
settings-device-remove-now = Вилучити пристрій
settings-device-password = Пароль вашого облікового запису
settings-device-removing = Пристрій вилучається: це забере кілька секунд.
settings-device-removed = Пристрій { $device } вилучено. Те, що на ньому було, лишається в того, в чиїх він руках: змініть пароль, якщо він може бути йому відомий.
settings-devices-words = Кожен пристрій облікового запису читає всі його повідомлення.

settings-receipts = Позначки про прочитання
settings-receipts-words = Інші бачать, що ви прочитали.
settings-played = Прослухані голосові
settings-played-words = Інші бачать, які їхні голосові повідомлення ви прослухали. Без позначок про прочитання не бачать ніколи.
settings-typing = Знак набору
settings-typing-words = Інші бачать, що ви пишете.
settings-lan = Шукати контакти в місцевій мережі
settings-lan-words = У цій мережі видно, що тут працює Kith.
settings-always-relay = Ніколи не з’єднуватися напряму
settings-always-relay-words = Контакти не бачать вашої адреси; усе йде через ретранслятор.
settings-restart = Почне діяти з наступного запуску Kith.

settings-notify = Системні сповіщення
settings-notify-words = Система повідомляє про нові повідомлення.
settings-notify-text = Показувати написане
settings-notify-text-words = Інакше видно лише, хто написав.
settings-sounds = Звуки
settings-sounds-words = Тихий звук, коли надходить повідомлення, і ще тихіший — коли вирушає ваше.
settings-tray = Лишатися в лотку
settings-tray-words = Після закриття вікна Kith працює далі, якщо система має лоток.
settings-desktop = У меню робочого столу
settings-desktop-words = Kith є серед ваших програм, а посилання kith:// відкриваються тут.

sound-microphone = Мікрофон
sound-speaker = Динамік
sound-default = Як у системі
sound-no-microphone = Зараз мікрофона немає: під’єднайте його.
sound-no-speaker = Зараз немає ні динаміка, ні навушників: під’єднайте їх.
sound-device-away = Зараз його немає. Під’єднайте його або оберіть інший пристрій.
sound-trial = Перевірка
sound-level = Показувати гучність
sound-level-words = Поки це ввімкнено, увімкнено й мікрофон. Нічого не зберігається.
sound-record = Записати
sound-stop = Зупинити
sound-record-words = Скажіть щось (до { $seconds } с) і прослухайте. Запис не зберігається.
sound-cleaned = З очищенням
sound-raw = Як було
sound-cleaned-all = Очищення нижче вимкнено повністю; чути, що було б із ним.
sound-clean-up = Очищення записів
sound-high-pass = Прибирати гул
sound-high-pass-words = Вітер, кроки й фон електромережі.
sound-noise = Приглушувати шум
sound-noise-words = Вентилятори, вулиця та інший рівний шум.
sound-gain = Вирівнювати гучність
sound-gain-words = Тихий голос стає гучнішим, гучний — тихішим.
sound-bitrate = Якість запису, кбіт/с
sound-bitrate-words = { $kilobits } кбіт/с: хвилина займає близько { $room }.
sound-playing = Відтворення
sound-play-next = Переходити до наступного
sound-play-next-words = Коли голосове повідомлення закінчується, починається наступне непрослухане.

speech-writing-down = Голосові повідомлення в текст
speech-automatic = Автоматично
speech-automatic-words = Кожне нове голосове повідомлення розпізнається на цьому пристрої. Інакше — лише за натисканням.
speech-attach = Додавати текст до моїх
speech-attach-words = Ваші голосові повідомлення надходять разом із текстом: слабкому пристрою не потрібна модель.
speech-mains = Лише від мережі
speech-mains-words = Не від батареї: розпізнавання швидко її розряджає.
speech-mains-off = Зараз комп’ютер працює від батареї: автоматично нічого не розпізнається.
speech-up-to = Лише повідомлення, не довші за
speech-seconds = { $count } с
speech-minutes = { $count } хв
speech-languages = Мова
speech-language = Якою мовою говорять
speech-language-auto = Автоматично
speech-language-change = Змінити
speech-language-words = Кожен чат може мати свою мову: її обирають у його подробицях.
speech-translate = Записувати англійською
speech-translate-words = Хоч би якою мовою говорили. Уміє не кожна модель.
speech-mirrors = Звідки беруться моделі
speech-official = Офіційний сайт, huggingface.co, запитується після адрес вище. Кожна модель перевіряється за SHA-256, звідки б вона не прийшла.
speech-mirror = Ще одна адреса
speech-mirror-words = Тека з моделями: у вашого ретранслятора або ваша власна.
speech-mirror-add = Додати
speech-mirror-remove = Більше не запитувати

models-only-test = Тут є лише модель, вбудована в Kith. Вона показує, як усе працює: знає близько 300 англійських слів одного синтезованого голосу, а решту записує абияк. Для живої мови завантажте справжню; сказане ніколи не залишає цей пристрій.
models-get-recommended = Завантажити { $name } ({ $size })
models-best = Завжди найкраща з наявних
models-best-words = Зараз слухає { $name }.
models-here = Моделі на цьому пристрої
models-more = Моделі, які можна завантажити
models-in-use = використовується
models-recommended = радимо
models-built-in = вбудована в Kith
models-memory = { $memory } пам’яті
models-all-languages = близько 100 мов
models-translates = і англійською
models-speed = тут у { $times } раза швидше за мовлення
models-download = Завантажити
models-resume = Продовжити
models-use = Використовувати
models-measure = Виміряти
models-measuring = Вимірюємо…
models-delete = Видалити
models-delete-words = Потім її доведеться завантажувати знову.
models-import = Взяти з файлу…
models-importing = Файл перевіряється…
models-import-words = Модель, яка вже є у вас або в друга: файл копіюється й перевіряється.
model-kith-test-en = Для проби: близько 300 слів одного синтезованого голосу, не для живої мови.
model-tiny = Найменша для всіх мов: швидка на будь-якій машині й часто помиляється.
model-tiny-en = Найменша для англійської: швидка на будь-якій машині й інколи помиляється.
model-base = Швидка; досить добра для чіткого мовлення поширеною мовою.
model-base-en = Швидка; добра для чіткої англійської.
model-base-q5-1 = Та сама base, але більш ніж удвічі менша й майже така ж добра.
model-small = Добрий вибір для більшості машин і мов.
model-small-en = Добрий вибір для англійської на більшості машин.
model-small-q5-1 = Та сама small, але більш ніж удвічі менша й майже така ж добра.
model-medium = Дуже добра і без швидкої машини повільна.
model-medium-q5-0 = Та сама medium, але втричі менша й майже така ж добра.
model-large-v3-turbo-q5-0 = Майже найкраща, не повільніша за medium і невелика. Не перекладає.
model-large-v3-turbo = Майже найкраща й не повільніша за medium. Не перекладає.
model-large-v3 = Найкраща: для швидких машин із великою пам’яттю.
model-silero-v6-2-0 = Знаходить, де говорять, у шумі краще за вбудований. Сама нічого не записує.

settings-theme = Кольори
settings-theme-system = Як у системі
settings-theme-light = Світлі
settings-theme-dark = Темні
settings-theme-contrast = Контрастні
settings-text-size = Розмір усього
settings-percent = { $percent } %
settings-smaller = Менше
settings-larger = Більше
settings-writing = Набір
settings-enter = Enter надсилає
settings-enter-words = Інакше надсилає Ctrl+Enter.
settings-renderer = Чим малювати вікно (з наступного запуску)
settings-processor = Процесором
settings-processor-words = Потрібно мало пам’яті, працює всюди.
settings-graphics = Відеокартою
settings-graphics-words = Плавніше на великих екранах, але пам’яті потрібно більше.
settings-language-system = Як у системі

settings-export = Забрати все із собою
settings-export-words = Записує повідомлення в теку звичайними файлами. Їх прочитає кожен, кому доступна тека.
settings-export-start = Вивантажити…
settings-exporting = Вивантажуємо…
settings-exported =
    { $messages ->
        [one] { $messages } повідомлення — у { $path }
        [few] { $messages } повідомлення — у { $path }
       *[many] { $messages } повідомлень — у { $path }
    }
settings-erase = Нічого не лишити
settings-erase-words = Видаляє з цього пристрою профіль: повідомлення, контакти й ключі. Обліковий запис лишається на ретрансляторі та на інших ваших пристроях; без іншого пристрою і без пароля його втрачено.
settings-erase-start = Стерти профіль…
settings-erase-confirm = Введіть { $word }, щоб стерти тут усе
settings-erase-now = Стерти все
settings-erasing = Стираємо…

settings-this-device = Цей пристрій
settings-relay-connected = На зв’язку
settings-relay-away = Немає зв’язку
settings-addresses = Де його можна знайти
settings-no-address = Зараз ніде
settings-undelivered = У дорозі
settings-undelivered-count =
    { $count ->
        [one] { $count } повідомлення ще не доставлено
        [few] { $count } повідомлення ще не доставлено
       *[many] { $count } повідомлень ще не доставлено
    }
settings-refused = Не прийнято
settings-refused-count =
    { $count ->
        [one] Надійшов і відкинутий { $count } непридатний пакет даних
        [few] Надійшло й відкинуто { $count } непридатні пакети даних
       *[many] Надійшло й відкинуто { $count } непридатних пакетів даних
    }
settings-warnings = На що поглянути
settings-contacts = Контакти
settings-no-contacts = Поки нікого.
settings-round-trip = { $path }, { $ms } мс
settings-log = Журнал
settings-log-words = Для того, хто вам допомагає. У ньому немає ані повідомлень, ані ключів.
settings-log-last = Останні 500 рядків

settings-about-words = Kith передає повідомлення просто від людини до людини. Сказане лишається між ними.
settings-version = Версія
settings-licence = Ліцензія
settings-made-with = Створено за допомогою

error-picture-large = Цей файл завеликий для зображення.

## What Kith says of itself, by the core's words for it. A length stands in it as after “for” or “in”.

length-seconds = { $count ->
    [one] { $count } секунду
    [few] { $count } секунди
   *[many] { $count } секунд
}
length-minutes = { $count ->
    [one] { $count } хвилину
    [few] { $count } хвилини
   *[many] { $count } хвилин
}
length-hours = { $count ->
    [one] { $count } годину
    [few] { $count } години
   *[many] { $count } годин
}
length-days = { $count ->
    [one] { $count } день
    [few] { $count } дні
   *[many] { $count } днів
}

told-best = пряме з’єднання
told-not-a-contact = не серед контактів
told-direct-off = прямі з’єднання вимкнено
told-no-address = адреса невідома
told-not-tried = ще не пробували
told-connecting = з’єднуємося
told-ended = з’єднання закінчилося
told-no-device = пристрої цієї людини невідомі
told-unreachable = за відомими адресами ніхто не відповідає
told-wrong-key = за цією адресою відповідає хтось інший
told-backing-off = відповіді не було; наступна спроба через { $length }
told-lost = з’єднання втрачено
told-timed-out = відповідь не надійшла вчасно
told-unsupported = на іншому боці інша версія Kith
told-peer-refused = інша сторона відхилила запит
told-nonsense = відповідь не вдається зрозуміти
told-busy = забагато справ одразу; буде нова спроба
told-network-broken = на цьому пристрої не працює мережа
told-shut-down = Kith завершує роботу
told-no-relay = цей обліковий запис не має ретранслятора
told-relay-away = ретранслятор недоступний; передавання продовжиться, коли він відповість
told-relay-refused = ретранслятор відмовляє
told-not-signed-in = ретранслятор не знає цього пристрою
told-too-many = ретранслятор просить зачекати; знову через { $length }
told-try-later = ретранслятор зайнятий; буде нова спроба
told-not-stored = те, що чекає на ретрансляторі, зараз нікуди зберегти
told-waits-for-keys = цей пристрій чекає, доки його додадуть знову; повідомлення збережено й буде надіслано потім
told-not-member = цей пристрій більше не бере участі в чаті
told-blocked = цю людину ви заблокували; спершу зніміть блокування
told-mailbox-full = скринька одержувача повна; повідомлення збережено й буде надіслано, коли з’явиться місце
told-mailbox-closed = ретранслятор одержувача зараз не приймає ваших повідомлень; повідомлення збережено й буде надіслано пізніше
told-device-refuses = пристрій одержувача зараз не приймає ваших повідомлень; повідомлення збережено й буде надіслано пізніше
told-no-keeper = ретранслятор не зберігає цей файл: його буде надіслано, коли з’явиться пряме з’єднання з пристроєм одержувача
told-file-gone = файлу більше немає на цьому пристрої, тому надіслати його не можна
told-too-large-for-relay = файл більший, ніж приймає ретранслятор
told-quota = ваше місце на ретрансляторі зайняте, доки не заберуть те, що там чекає
told-nobody-has-it = відправник зараз не в мережі, і на ретрансляторі файлу немає; він завантажиться пізніше сам
told-lied-to = надійшло не те, що оголосив відправник; файл завантажиться з іншого джерела
told-transfer-disk-full = диск заповнений: звільніть місце, і передавання продовжиться саме
told-transfer-failed = диск не приймає або не віддає файл
told-model-unavailable = Модель не вдалося завантажити нізвідки. Чи є зв’язок з інтернетом?
told-model-disk-full = Диск заповнений. Звільніть місце й продовжте завантаження.
told-model-failed = Модель не вдалося завантажити.
told-microphone-away = Вибраного мікрофона немає: доки його немає, використовується «{ $name }».
told-speaker-away = Вибраного динаміка немає: доки його немає, звук іде через «{ $name }».
told-disk-full = Диск заповнений: повідомлення не надсилаються й не надходять. Звільніть місце, і Kith продовжить сам.
told-profile-unwritable = Дані на цьому пристрої не записуються, тому повідомлення не надсилаються й не надходять. Нічого не втрачено, Kith спробує знову сам.
told-begun-anew = Те, що виконувалося, довелося почати заново. Нічого не втрачено.
told-recovered = Дані на цьому пристрої знову записуються: Kith продовжує роботу.
told-snapshot-failed = Не вдалося записати запасну копію даних.
told-choices-unreadable = Ваші налаштування на цьому пристрої не читаються, тому приховано все, що ви могли приховати. Задайте їх знову.
told-speech-choices-unreadable = Налаштування мовлення не читаються. Задайте їх знову.
told-clock-ahead = Годинник цього пристрою поспішає на { $length } відносно ретранслятора. Виправте його: його час видно на ваших повідомленнях.
told-clock-behind = Годинник цього пристрою відстає на { $length } від ретранслятора. Виправте його: його час видно на ваших повідомленнях.
told-record-old = Ретранслятор показує застарілий запис про «{ $name }». Можливо, він приховує зміну пристроїв.
told-record-forked = Про «{ $name }» є два різні записи. Звірте коди безпеки, перш ніж писати.
told-home-lied = Той, хто веде журнал чату «{ $name }», показав дві його версії. Доказ збережено, чат переїжджає.
told-home-lost = Той, хто веде журнал чату «{ $name }», недоступний або втратив його. Повідомлення надходять, але склад учасників змінити не можна.
told-not-added = { $other }: не вдалося додати до групи «{ $name }». Пристрої цієї людини недоступні, або група більше нікого не приймає. Спробуйте ще раз, коли вона побуває в мережі.
told-says-member = { $other }: пристрій цієї людини повідомляє, що вона в групі «{ $name }», а в старій копії, до якої повернувся цей пристрій, її там немає. Додайте її знову, якщо вона має бути в групі.
told-feed-forked = Пристрій { $other } підписав два різні повідомлення на одному місці в чаті «{ $name }». Можливо, його скопіювали.
told-device-removed = Цей пристрій вилучено з облікового запису. Він не отримує нового й нічого не надсилає; те, що було, лишилося тут.
told-keys-lost = Цей пристрій втратив ключі чату «{ $name }» і попросив додати його знову. Написане збережеться й буде надіслано потім.
told-name-of-another = { $name } просить про знайомство під іменем { $handle }, а під ним у вас уже є контакт { $other }. Звірте коди безпеки, перш ніж прийняти.
told-other-account = За іменем { $handle } тепер інший обліковий запис, не ваш контакт { $other }. Ретранслятор міг віддати ім’я іншому або обманює. Звірте коди безпеки, перш ніж довіряти.
told-request-refused = Ваш запит до «{ $name }» не прийняли.

## More of what goes wrong

error-no-profile = На цьому пристрої ще немає облікового запису.
error-no-directory = Система не повідомляє, де зберігати обліковий запис.
error-no-account = У збережених даних немає облікового запису. Увійдіть знову.
error-start = Kith не запускається з цим обліковим записом. Закрийте інші програми, що зайняли мережевий порт, і повторіть.
error-disk-full = Диск заповнений. Звільніть місце й повторіть.
error-address = Цю адресу не вдається прочитати.
error-wrong-record = Ретранслятор показує не той обліковий запис, що вказаний у посиланні.
error-no-conversation = Цього чату більше немає.
error-no-contact = Такого контакту або запиту більше немає.
error-no-message = Цього повідомлення більше немає.
error-too-long = Текст задовгий. Надішліть його частинами або файлом.
error-not-allowed = У цьому чаті вам цього не дозволено.
error-not-member = Цей пристрій більше не бере участі в чаті.
error-rejoining = Цей пристрій чекає, доки його знову додадуть до чату. Написане збережеться й буде надіслано потім.
error-command = Це не вдалося зробити.
error-no-voice-note = Тут немає голосового повідомлення, яке можна перетворити на текст.
error-no-file = У цьому повідомленні немає файлу.
error-not-here = Цього файлу ще немає на пристрої. Спершу завантажте його.
error-not-saved = Файл не вдалося зберегти туди. Виберіть інше місце.
error-too-large = Цей файл більший за 2 ГіБ: більше надіслати не можна.
error-attachment = Цей файл пошкоджено, або диск його не віддає.
error-file = Цей файл не вдається прочитати.
error-export = Туди нічого не збережено. Виберіть інше місце.
error-erase = Видалити вдалося не все. Спробуйте ще раз.
error-sound = Цей звук не вдається прочитати. Можливо, його пошкоджено.
error-sound-too-long = Голосове повідомлення може тривати не більше години.
error-sound-empty = У цьому записі немає звуку.
error-no-sound-system = Звукова система комп’ютера не відповідає. Увійдіть у систему знову або запустіть PipeWire чи PulseAudio.
error-no-microphone = Мікрофон не знайдено. Під’єднайте його й повторіть.
error-no-speaker = Не знайдено динаміків чи навушників. Під’єднайте їх і повторіть.
error-microphone-denied = Kith не дозволено використовувати мікрофон. Дозвольте це в налаштуваннях приватності системи.
error-speaker-denied = Kith не дозволено відтворювати звук. Дозвольте це в налаштуваннях системи.
error-sound-busy = Звуковий пристрій зайнятий іншою програмою. Закрийте її або виберіть інший пристрій у налаштуваннях.
error-sound-gone = Звуковий пристрій від’єднано.
error-sound-unsupported = Звуковий пристрій не підтримує потрібного формату. Виберіть інший у налаштуваннях.
error-sound-device = Звуковий пристрій дав збій. Під’єднайте його знову або виберіть інший у налаштуваннях.
error-model = Цієї моделі розпізнавання немає на пристрої. Зазирніть у налаштування мовлення.
error-model-download = Модель розпізнавання зараз не завантажити. Чи є зв’язок з інтернетом?
error-paused = Завантаження призупинено. Воно продовжиться з того самого місця.
error-cancelled = Це скасовано.
error-speech = Голосове повідомлення не вдалося перетворити на текст.
error-no-transcript = Це голосове повідомлення ще не має тексту.
error-not-running = Kith більше не відповідає. Запустіть його знову.
error-closed = З’єднання з Kith закрито. Запустіть його знову.
error-socket-not-ours = У теці облікового запису лежить щось стороннє. Приберіть його й повторіть.
error-socket-path = Теку цього облікового запису не можна використати.
error-connection-broken = З’єднання з уже запущеним Kith втрачено.
error-line-too-long = Відповідь виявилася задовгою.
error-control-version = Уже запущено іншу версію Kith. Закрийте її та встановіть найновішу.
error-model-file = Цей файл — не відома Kith модель розпізнавання, або його пошкоджено.
error-mirror = Це не адреса теки на зразок https://example.org/models.
error-many-downloads = Уже завантажуються інші моделі. Дочекайтеся однієї з них або призупиніть її.
