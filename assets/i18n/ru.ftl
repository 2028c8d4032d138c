# What the window says, in Russian.

app-name = Kith
starting = Открываю…
loading = Загружаю…
close = Закрыть
cancel = Отмена
back = Назад
quit = Завершить Kith
copied = Скопировано
copy = Копировать
copy-link = Копировать ссылку
discard = Отбросить
you = Вы
today = Сегодня
yesterday = Вчера
day-and-time = { $day }, { $time }
date-day-month = { $day } { $month }
date-day-month-year = { $day } { $month } { $year }
date-month-day = { $day } { $month }
date-month-day-year = { $day } { $month } { $year }
size-b = { $size } Б
size-kb = { $size } кБ
size-mb = { $size } МБ
size-gb = { $size } ГБ
month-1 = января
month-2 = февраля
month-3 = марта
month-4 = апреля
month-5 = мая
month-6 = июня
month-7 = июля
month-8 = августа
month-9 = сентября
month-10 = октября
month-11 = ноября
month-12 = декабря
month-short-1 = янв.
month-short-2 = февр.
month-short-3 = марта
month-short-4 = апр.
month-short-5 = мая
month-short-6 = июня
month-short-7 = июля
month-short-8 = авг.
month-short-9 = сент.
month-short-10 = окт.
month-short-11 = нояб.
month-short-12 = дек.
weekday-short-1 = пн
weekday-short-2 = вт
weekday-short-3 = ср
weekday-short-4 = чт
weekday-short-5 = пт
weekday-short-6 = сб
weekday-short-7 = вс

## Opening a profile
unlock-title = С возвращением
unlock-words = Ваши сообщения на этом устройстве зашифрованы. Их открывает парольная фраза.
unlock-passphrase = Парольная фраза
unlock-open = Открыть
unlock-opening = Открываю…
failure-title = Kith не может открыть ваши сообщения
failure-retry = Повторить
failure-restore = Восстановить последнюю копию

## The list of chats
chats = Чаты
settings = Настройки
list-search = Поиск
list-loading = Загружаю чаты…
list-failed = Не удаётся показать чаты
list-empty-title = Здесь пока никого нет
list-empty-words = Добавьте кого-нибудь по имени или отправьте свою ссылку.
list-nothing-title = Ничего не найдено
list-nothing-words = Чата с таким названием нет.
list-request = хочет написать вам
list-draft = Черновик:
list-asked = ожидает ответа
list-blocked = заблокирован(а)
list-new = Поздоровайтесь
choose-title = Выберите чат
choose-words = Ctrl+K открывает чат по нескольким буквам имени.
switcher-query = Перейти к…
connecting = Подключаемся к ретранслятору…
offline = Нет связи с ретранслятором. Сообщения ждут здесь и уйдут сами.

## A conversation
typing = печатает…
history-failed = Не удаётся показать сообщения
history-start = Это начало переписки
history-empty-title = Сообщений пока нет
history-empty = То, что вы и { $name } напишете здесь, не прочтёт больше никто.
history-asked = Запрос отправлен: { $name }. Написанное уйдёт, когда его примут.
unread-line = Новые сообщения
composer-placeholder = Сообщение
message-too-long = Сообщение не больше 16 КБ. Отправьте его частями.
voice-play = Воспроизвести
voice-write-down = Превратить в текст
voice-listens = Распознавание: { $percent } %. Нажмите, чтобы остановить.
voice-pause = Пауза
player-plays = Голосовое сообщение: { $name }
player-show = Показать сообщение
player-stop = Остановить
spoken-whole = Показать весь текст
spoken-mine = Расшифровано на этом устройстве
spoken-sender = Расшифровано отправителем
spoken-translated = переведено на английский
spoken-mended = исправлено вручную
spoken-model = Модель: { $model }
spoken-inaudible = неразборчиво
spoken-mend = Исправить расшифровку
spoken-mending = Исправление расшифровки
spoken-too-long = Эта расшифровка слишком длинная, чтобы исправить её здесь: больше 16 КБ.
find = Найти в этом чате
find-placeholder = Найти слова, в том числе сказанные
find-looking = Поиск…
find-nothing = Ничего не найдено
find-at = { $at } из { $all }
find-older = Раньше
find-newer = Позже
find-play = Слушать с этого места
file-fetch = Загрузить файл
file-save = Сохранить файл
said-file = Файл
recording-begin = Записать голосовое: нажмите или держите, пока говорите
recording-discard = Выбросить
recording-send = Отправить
recording-opens = Открывается микрофон…
recording-resume = Продолжить
recording-stop = Остановить и прослушать перед отправкой
recording-lost = Микрофон пропал: ищем его или другой…
recording-unsaved = Диск пока не принимает запись; она в памяти, пока не отправлена.
recording-waits = Запись, которая не отправлена
recording-ends = Минутку…
recording-listen = Прослушать
recording-pull = Влево — выбросить, вверх — освободить руки
recording-dropped = Запись выброшена
recording-take-back = Вернуть
models-offer = Встроенная модель — только для пробы: она знает около 300 слов одного синтезированного голоса. Для живой речи загрузите настоящую.
models-show = Модели…
language-search = Найти язык
language-none = Такого языка здесь нет.
listening = Голосовые сообщения
listening-as-all = Как в настройках
listening-as-all-is = Как в настройках: { $language }
shared-media-empty = Здесь будут файлы и голосовые этого чата.
shared-media-more = Показать более старые
show-whole = Показать сообщение целиком
sending = Отправляю…
edited = изменено
editing = Изменение сообщения
edit = Изменить
reply = Ответить
delete = Удалить
offer-title = { $count ->
    [one] Отправить { $count } файл в чат «{ $name }»?
    [few] Отправить { $count } файла в чат «{ $name }»?
   *[other] Отправить { $count } файлов в чат «{ $name }»?
}
offer-send = Отправить
delete-title = Удалить это сообщение?
delete-words = Оно исчезнет на всех устройствах всех участников чата. Это нельзя отменить.
attach = Прикрепить файл
emoji = Эмодзи
emoji-search = Поиск эмодзи
emoji-recent = Недавние
said-voice = Голосовое сообщение
said-deleted = Сообщение удалено
said-left = покинул(а) группу
said-missing = Это сообщение ещё не пришло
said-malformed = Это сообщение повреждено
said-unknown = Для этого сообщения нужна новая версия Kith
member-left = { $name } больше не в группе
state-played = Прослушано
state-queued = Ждёт на этом устройстве отправки
state-sent = Отправлено
state-sent-mailbox = Ждёт в почтовом ящике на ретрансляторе
state-delivered = Доставлено на устройство
state-read = Прочитано
blocked-words = Вы заблокировали этого человека. Ничего не отправляется и не принимается.

## Details
details = Подробности
mute = Без звука
pin = Вверху списка
block = Заблокировать
unblock = Разблокировать
block-title = Заблокировать этого человека?
block-words = Этот человек больше не сможет писать вам и не узнает об этом. Блокировку можно снять.
verified = Личность подтверждена
not-verified = Личность не подтверждена
verify = Числа совпадают
safety-number = Код безопасности
safety-words = Сверьте его при встрече или по телефону. Если числа совпадают, между вами никого нет.
shared-media = Общие файлы
connection = Соединение
round-trip = { $ms } мс туда и обратно
path-lan = В той же сети
path-direct = Прямое соединение
path-circuit = Соединение через ретранслятор
path-mailbox = Нет соединения: сообщения ждут в ящике

## Contacts and groups
add-contact = Добавить контакт
add-who = Имя или ссылка
add-who-placeholder = имя, имя@ретранслятор или kith://…
add-who-hint = Надёжнее всего ссылка: она указывает на человека, а не только на имя.
add-greeting = Что сказать
add-greeting-placeholder = Привет, это я
add-picture = Из картинки с QR-кодом…
add-ask = Отправить запрос
add-asking = Отправляю…
add-own-title = Ваша ссылка
add-own-words = По ней вам можно отправить запрос.
new-group = Новая группа
group-name = Название группы
group-nobody = Сначала добавьте контакты: в группу входят те, кто вас принял.
group-create = Создать
group-creating = Создаю…
request-title = Запрос на общение
request-unverified = Это имя не подтверждено
request-silent = Без сообщения.
request-remembered = У этого человека есть чат с удалённым вами устройством; другие ваши устройства его не знают. Если вы знакомы, примите: ваши устройства войдут в этот чат. Если устройство было в чужих руках, отклоните.
request-words = Приняв, вы сможете писать друг другу. Об отказе человек не узнает.
account-id = Учётная запись
accept = Принять
decline = Отклонить
notice-message = Новое сообщение
tray-show = Показать Kith

## Keys
help-title = Клавиатура
shortcut-switcher = Перейти к чату
shortcut-find = Найти в открытом чате
shortcut-search = Искать чаты
shortcut-add-contact = Добавить контакт
shortcut-new-group = Новая группа
shortcut-next-chat = Следующий или предыдущий чат
shortcut-chat = Чат по месту в списке
shortcut-details = Подробности чата
shortcut-emoji = Эмодзи
shortcut-record = Записать голосовое сообщение; ещё раз — остановить
shortcut-choose = Выбрать сообщение
shortcut-send = Отправить
shortcut-newline = Новая строка
shortcut-edit-last = Изменить своё последнее сообщение
shortcut-format = Жирный или курсив
shortcut-links = Ссылки сообщения, слова голосового
shortcut-seek = Перемотать голосовое; слушать или остановить
shortcut-scroll = Прокрутить сообщения
shortcut-newest = К последнему сообщению
shortcut-size = Крупнее, мельче, обычный размер
shortcut-focus = Следующий или предыдущий элемент
shortcut-escape = Закрыть или отменить
shortcut-settings = Настройки
shortcut-help = Этот список
shortcut-quit = Завершить Kith

## What went wrong
error-wrong-passphrase = Неверная парольная фраза.
error-profile-open = Эта учётная запись открыта в другом Kith на этом компьютере. Закройте его и повторите.
error-newer-store = Эти сообщения записаны более новой версией Kith. Установите её.
error-store = Данные на этом устройстве повреждены или не читаются. Можно восстановить последнюю копию; остальное придёт от ваших собеседников.
error-disk = Диск не принимает данные: возможно, он заполнен.
error-nobody = Человек с таким именем не найден.
error-not-found = На этом ретрансляторе нет человека с таким именем.
error-ambiguous = Такое имя у нескольких контактов: укажите его полностью.
error-blocked = Этот человек вами заблокирован; сначала снимите блокировку.
error-malformed = Это не похоже на имя или ссылку.
error-network = Связаться сейчас не удаётся.
error-unknown-relay = Этот ретранслятор неизвестен: воспользуйтесь ссылкой, в ней он указан.
error-no-relay = У этой учётной записи нет ретранслятора: воспользуйтесь ссылкой или общей сетью.
error-other-account = За этим именем теперь другая учётная запись. Сверьте коды безопасности, прежде чем писать.
error-not-accepted = Ваш запрос ещё не приняли.
error-no-code = На этой картинке нет кода Kith.
error-picture = Эту картинку не удаётся прочитать. Подходят PNG и JPEG.
error-picture-too-large = Эта картинка слишком велика.
error-ending = Kith завершает работу.
error-nonsense = Получен неожиданный ответ. Если это повторится, перезапустите Kith.
unread-count = { $count ->
    [one] { $count } непрочитанное сообщение
    [few] { $count } непрочитанных сообщения
   *[many] { $count } непрочитанных сообщений
}
members-count = { $count ->
    [one] { $count } участник
    [few] { $count } участника
   *[many] { $count } участников
}
group-chosen = { $count ->
    [one] { $count } человек выбран
    [few] { $count } человека выбрано
   *[many] { $count } человек выбрано
}

# Общее для первого запуска и настроек (`back`, `cancel`, `close` и `copy` — в другом месте).
continue = Продолжить

# Первый запуск.
welcome-title = Добро пожаловать в Kith
welcome-words = Сообщения идут прямо от вас к друзьям, и никто по пути не может их прочитать.
welcome-privacy = Без номера телефона, без почты, без рекламы.
welcome-invited = Вас приглашает { $name }. Создайте аккаунт, и вы сможете добавить друг друга.
welcome-create = Создать аккаунт
welcome-create-words = Впервые в Kith: выберите имя и пароль.
welcome-log-in = У меня есть аккаунт
welcome-log-in-way = Пользоваться им и на этом устройстве.
welcome-local = Без ретранслятора
welcome-local-words = Только с людьми в той же сети.

welcome-relay-title = Выберите ретранслятор
welcome-relay-words = Ретранслятор хранит ваши сообщения, пока вы не в сети. Прочитать их он не может.
welcome-by-address = По адресу
welcome-by-address-words = Его подскажет тот, кто держит ретранслятор.
welcome-by-link = По ссылке-приглашению
welcome-by-link-words = Вы попадёте на ретранслятор того, кто её прислал.
welcome-own-relay = Запустить на этом компьютере
welcome-own-relay-words = Для людей в вашей сети, пока Kith здесь работает.
welcome-own-relay-starting = Ретранслятор запускается…
welcome-address = Адрес ретранслятора
welcome-address-hint = Начинается с /ip4/ или /dns/ и кончается ключом ретранслятора.
welcome-address-good = Ретранслятор: { $what }.
welcome-address-missing = Введите адрес ретранслятора.
welcome-address-malformed = Это не адрес ретранслятора. Скопируйте его целиком, с первой косой черты.
welcome-address-no-key = Не хватает конца: /p2p/ и ключа ретранслятора.
welcome-address-several = Это адреса разных ретрансляторов.
welcome-address-count = У одного ретранслятора не бывает столько адресов.
welcome-link = Ссылка-приглашение
welcome-link-hint = Вставьте ссылку целиком.
welcome-link-from = От { $what }. Добавить этого человека можно будет сразу после входа.
welcome-link-missing = Вставьте ссылку, которую вам прислали.
welcome-link-broken = Ссылка повреждена. Скопируйте её целиком или попросите прислать снова.
welcome-link-no-relay = В ссылке нет ретранслятора: у отправителя его нет.

welcome-account-words = По имени вас находят друзья.
welcome-log-in-words = Имя и пароль вашего аккаунта.
welcome-local-account = Парольная фраза защищает ваш аккаунт на этом устройстве.
welcome-at-relay = Ретранслятор: { $what }
welcome-this-computer = этот компьютер
welcome-handle = Имя
welcome-handle-hint = От 3 до 32 латинских букв, цифр и знаков . _ -
welcome-handle-log-in = Без части после @.
welcome-handle-length = В имени от 3 до 32 символов.
welcome-handle-character = В имени бывают только a–z, 0–9 и . _ -, но не «{ $character }».
welcome-handle-punctuation = Знаки . _ - ставят только между буквами и цифрами, по одному.
welcome-handle-relay = Сюда идёт только часть до @.
welcome-invitation = Код приглашения
welcome-invitation-hint = Его выдаёт тот, кто держит ретранслятор.
welcome-password = Пароль
password-again = Пароль ещё раз
password-new = Новый пароль
password-present = Прежний пароль
welcome-passphrase = Парольная фраза
welcome-passphrase-again = Парольная фраза ещё раз
secret-show = Показать
secret-hide = Скрыть
secret-empty = Заполните это поле.
secret-differs = Не совпадает с первым.
password-rule =
    { $count ->
        [one] Не меньше { $count } символа. Хорошо подходят четыре слова.
        [few] Не меньше { $count } символов. Хорошо подходят четыре слова.
       *[many] Не меньше { $count } символов. Хорошо подходят четыре слова.
    }
password-short =
    { $count ->
        [one] Нужен ещё { $count } символ.
        [few] Нужно ещё { $count } символа.
       *[many] Нужно ещё { $count } символов.
    }
password-long = Слишком длинно.
password-common = Такой подбирают первым.
password-pattern = Это узор, который легко угадать.
password-handle = Здесь почти одно ваше имя.
password-fair = Сойдёт. С ещё одним словом будет лучше.
password-good = Хороший.
password-strong = Надёжный.
welcome-opens = Чем открывать Kith на этом устройстве
welcome-keychain = Системным хранилищем ключей
welcome-keychain-words = Kith открывается без вопросов.
welcome-by-passphrase = Парольной фразой
welcome-by-passphrase-words = Kith спрашивает её при каждом запуске.
welcome-by-this-passphrase = Этой парольной фразой
welcome-by-this-passphrase-words = Kith спрашивает её при каждом запуске.
welcome-same = Та же, что и пароль
welcome-create-submit = Создать аккаунт
welcome-log-in-submit = Войти
welcome-forgotten = Забыли пароль?
welcome-recover = Забытый пароль
welcome-recover-words = Код восстановления откроет ваш аккаунт. Затем вы выберете новый пароль.
welcome-recover-submit = Задать новый пароль

welcome-creating = Создаём ваш аккаунт
welcome-creating-words = Kith обращается к ретранслятору и создаёт ваши ключи. Пароль усиливается, чтобы его долго подбирали: это займёт несколько секунд.
welcome-creating-local = Kith создаёт ваши ключи. Парольная фраза усиливается, чтобы её долго подбирали: это займёт несколько секунд.
welcome-logging-in = Входим
welcome-logging-in-words = Kith обращается к ретранслятору и открывает ваши ключи паролем. Он усиливается, чтобы его долго подбирали: это займёт несколько секунд.
welcome-recovering = Возвращаем ваш аккаунт
welcome-recovering-words = Kith показывает ретранслятору, что код у вас, и открывает ваши ключи. Новый пароль усиливается, чтобы его долго подбирали: это займёт несколько секунд.
welcome-waiting = Минутку
welcome-waiting-words = То, что вы отменили, ещё завершается. Затем продолжим с тем, что вы ввели сейчас.

recovery-title = Ваш код восстановления
recovery-words = Если вы забудете пароль, только этот код откроет ваш аккаунт. Он показывается один раз, и ни у кого больше его нет.
recovery-code = Код восстановления
recovery-replaced = Ваш новый код восстановления
recovery-replaced-words = Прежний код больше не действует. Если вы забудете пароль, только этот код откроет ваш аккаунт. Он показывается один раз, и ни у кого больше его нет.
recovery-save = Сохранить в файл
recovery-saved = Сохранено: { $path }
recovery-written = Код записан
recovery-file = Это код восстановления вашего аккаунта Kith. Он открывает аккаунт любому, у кого есть: храните его там, куда никто не заглядывает.

# Что может не получиться при первом запуске.
error-handle-taken = Это имя занято или слишком похоже на занятое.
error-handle = Ретранслятор не принимает такое имя.
error-weak-password = Этот пароль слишком легко угадать.
error-wrong-password = Неверное имя или пароль.
error-wrong-recovery-code = Неверное имя или код восстановления. Использованный код больше не действует.
error-recovery-code = Это не код восстановления, или в нём опечатка.
error-no-device = У аккаунта нет такого устройства. Возможно, оно уже удалено.
error-password-uncertain = Ответ ретранслятора потерялся. Попробуйте сначала новый пароль, потом старый.
error-relay-unreachable = Ретранслятор не отвечает. Верен ли адрес и есть ли связь?
error-wrong-relay-key = По этому адресу отвечает не тот ретранслятор, который в нём назван.
error-registration-closed = Этот ретранслятор принимает новые аккаунты только по приглашению.
error-invitation = Это не код приглашения.
error-too-many = Ретранслятор просит немного подождать и попробовать снова.
error-try-later = Ретранслятор занят. Попробуйте чуть позже.
error-profile-exists = На этом устройстве уже есть профиль. Закройте Kith и откройте снова.
error-own-relay = Не удалось запустить ретранслятор на этом компьютере.
error-own-relay-port = Порт ретранслятора на этом компьютере занят другой программой. Закройте её и попробуйте снова.
error-keychain = Системное хранилище ключей не отвечает.
error-keychain-key = В системном хранилище нет нужного ключа.
error-no-dialogue = Здесь нечем показать окно выбора файлов. Установите xdg-desktop-portal с частью для вашего рабочего стола (например, xdg-desktop-portal-gtk) или zenity и попробуйте снова. Файлы для отправки можно и перетащить в чат.
error-file-exists = Файл с таким именем уже есть. Выберите другое имя.
error-onboarding = Ретранслятор и Kith не поняли друг друга. Попробуйте ещё раз.
error-refused = Ретранслятор отказывает.

# Настройки.
settings-profile = Профиль
settings-account = Ретранслятор и аккаунт
settings-devices = Устройства
settings-privacy = Конфиденциальность
settings-notifications = Уведомления
settings-sound = Звук
settings-speech = Речь в текст
settings-appearance = Вид
settings-language = Язык
settings-data = Данные
settings-diagnostics = Диагностика
settings-about = О программе
settings-coming = Минутку…
settings-again = Ещё раз
settings-refresh = Обновить
settings-save = Сохранить
settings-saved = Сохранено

settings-profile-words = Это видят все, с кем вы переписываетесь. Посторонние — нет.
settings-profile-name = Имя
settings-profile-name-hint = Каким вас видят друзья. Без него они видят имя на ретрансляторе.
settings-profile-about = О себе
settings-profile-about-hint = { $count ->
        [one] Остался { $count } символ.
        [few] Осталось { $count } символа.
       *[many] Осталось { $count } символов.
    }
settings-too-long = { $count ->
        [one] Лишний { $count } символ.
        [few] Лишние { $count } символа.
       *[many] Лишних { $count } символов.
    }
settings-picture-choose = Выбрать картинку…
settings-picture-remove = Убрать картинку
settings-picture-reading = Картинка читается…
settings-picture-hint = PNG или JPEG. Видна будет середина.

settings-account-who = Кто вы
settings-handle = Имя на ретрансляторе
settings-no-handle = Нет: вы обходитесь без ретранслятора
settings-account-id = Номер аккаунта
settings-relay = Ретранслятор
settings-relay-address = Адрес ретранслятора
settings-password-of = От вашего аккаунта на ретрансляторе
settings-password-words = Когда он меняется, другие устройства остаются в аккаунте, а то, чем открывается Kith на этом устройстве, остаётся прежним.
settings-password-change = Сменить пароль
settings-password-changed = Теперь действует новый пароль.
settings-password-changing = Новый пароль усиливается, чтобы его долго подбирали: это займёт несколько секунд.
settings-password-forgotten = Пароль забыт, но есть код восстановления
settings-password-code = Создать и новый код восстановления
settings-no-relay = Нет
settings-link = Ссылка-приглашение
settings-link-words = Тот, у кого есть ссылка, может попроситься к вам в контакты.
settings-own-relay = Ретранслятор на этом компьютере
settings-own-relay-state = Состояние
settings-own-relay-running = Работает, пока работает Kith
settings-own-relay-starting = Запускается…
settings-own-relay-off = Не работает
settings-own-relay-address = Адрес для друзей
settings-own-relay-start = Запустить снова

settings-device-this = это устройство
settings-device-here = используется сейчас
settings-device-away = нет связи
settings-device-since = Добавлено: { $day } · { $state }
settings-device-rename = Переименовать…
settings-device-name = Название этого устройства
settings-device-name-hint = Его показывают ваши остальные устройства и больше никто.
settings-device-name-hint-machine = Его показывают ваши остальные устройства и больше никто. Если оно пустое, они показывают «{ $machine }».
settings-device-remove = Удалить…
settings-device-remove-words = Это устройство насовсем исключается из вашего аккаунта: к нему больше ничего не придёт, и отправить с него ничего нельзя. То, что на нём было, на нём останется.
settings-device-remove-now = Удалить устройство
settings-device-password = Пароль вашего аккаунта
settings-device-removing = Устройство удаляется: это займёт несколько секунд.
settings-device-removed = Устройство { $device } удалено. То, что на нём было, остаётся у того, в чьих оно руках: смените пароль, если он может быть ему известен.
settings-devices-words = Каждое устройство аккаунта читает все его сообщения.

settings-receipts = Отметки о прочтении
settings-receipts-words = Другие видят, что вы прочитали.
settings-played = Прослушанные голосовые
settings-played-words = Другие видят, какие их голосовые сообщения вы прослушали. Без отметок о прочтении не видят никогда.
settings-typing = Знак набора
settings-typing-words = Другие видят, что вы пишете.
settings-lan = Искать контакты в местной сети
settings-lan-words = В этой сети видно, что здесь работает Kith.
settings-always-relay = Никогда не соединяться напрямую
settings-always-relay-words = Контакты не видят вашего адреса; всё идёт через ретранслятор.
settings-restart = Начнёт действовать при следующем запуске Kith.

settings-notify = Системные уведомления
settings-notify-words = Система сообщает о новых сообщениях.
settings-notify-text = Показывать написанное
settings-notify-text-words = Иначе видно только, кто написал.
settings-sounds = Звуки
settings-sounds-words = Тихий звук, когда приходит сообщение, и ещё тише — когда уходит ваше.
settings-tray = Оставаться в лотке
settings-tray-words = После закрытия окна Kith продолжает работать, если в системе есть лоток.
settings-desktop = В меню рабочего стола
settings-desktop-words = Kith есть среди ваших программ, а ссылки kith:// открываются здесь.

sound-microphone = Микрофон
sound-speaker = Динамик
sound-default = Как в системе
sound-no-microphone = Сейчас микрофона нет: подключите его.
sound-no-speaker = Сейчас нет ни динамика, ни наушников: подключите их.
sound-device-away = Сейчас его нет. Подключите его или выберите другое устройство.
sound-trial = Проверка
sound-level = Показывать громкость
sound-level-words = Пока это включено, включён и микрофон. Ничего не сохраняется.
sound-record = Записать
sound-stop = Остановить
sound-record-words = Скажите что-нибудь (до { $seconds } с) и прослушайте. Запись не сохраняется.
sound-cleaned = С очисткой
sound-raw = Как было
sound-cleaned-all = Очистка ниже выключена целиком; слышно, что было бы с ней.
sound-clean-up = Очистка записей
sound-high-pass = Убирать гул
sound-high-pass-words = Ветер, шаги и фон электросети.
sound-noise = Подавлять шум
sound-noise-words = Вентиляторы, улица и другой ровный шум.
sound-gain = Выравнивать громкость
sound-gain-words = Тихий голос становится громче, громкий — тише.
sound-bitrate = Качество записи, кбит/с
sound-bitrate-words = { $kilobits } кбит/с: минута занимает около { $room }.
sound-playing = Воспроизведение
sound-play-next = Переходить к следующему
sound-play-next-words = Когда голосовое сообщение кончается, начинается следующее непрослушанное.

speech-writing-down = Голосовые сообщения в текст
speech-automatic = Автоматически
speech-automatic-words = Каждое новое голосовое сообщение распознаётся на этом устройстве. Иначе — только по нажатию.
speech-attach = Прилагать текст к моим
speech-attach-words = Ваши голосовые сообщения приходят вместе с текстом: слабому устройству не нужна модель.
speech-mains = Только от сети
speech-mains-words = Не от батареи: распознавание быстро её разряжает.
speech-mains-off = Сейчас компьютер работает от батареи: автоматически ничего не распознаётся.
speech-up-to = Только сообщения не длиннее
speech-seconds = { $count } с
speech-minutes = { $count } мин
speech-languages = Язык
speech-language = На каком языке говорят
speech-language-auto = Автоматически
speech-language-change = Изменить
speech-language-words = У каждого чата может быть свой язык: его выбирают в подробностях о чате.
speech-translate = Записывать по-английски
speech-translate-words = На каком бы языке ни говорили. Умеет не каждая модель.
speech-mirrors = Откуда берутся модели
speech-official = Официальный сайт, huggingface.co, спрашивается после адресов выше. Каждая модель проверяется по SHA-256, откуда бы она ни пришла.
speech-mirror = Ещё один адрес
speech-mirror-words = Папка с моделями: у вашего ретранслятора или ваша собственная.
speech-mirror-add = Добавить
speech-mirror-remove = Больше не спрашивать

models-only-test = Здесь есть только модель, встроенная в Kith. Она показывает, как всё работает: знает около 300 английских слов одного синтезированного голоса, а остальное записывает как попало. Для живой речи загрузите настоящую; сказанное никогда не покидает это устройство.
models-get-recommended = Загрузить { $name } ({ $size })
models-best = Всегда лучшая из имеющихся
models-best-words = Сейчас слушает { $name }.
models-here = Модели на этом устройстве
models-more = Модели, которые можно загрузить
models-in-use = используется
models-recommended = советуем
models-built-in = встроена в Kith
models-memory = { $memory } памяти
models-all-languages = около 100 языков
models-translates = и на английский
models-speed = здесь в { $times } раза быстрее речи
models-download = Загрузить
models-resume = Продолжить
models-use = Использовать
models-measure = Измерить
models-measuring = Измеряем…
models-delete = Удалить
models-delete-words = Потом её придётся загружать заново.
models-import = Взять из файла…
models-importing = Файл проверяется…
models-import-words = Модель, которая уже есть у вас или у друга: файл копируется и проверяется.
model-kith-test-en = Для пробы: около 300 слов одного синтезированного голоса, не для живой речи.
model-tiny = Самая маленькая для всех языков: быстра на любой машине и часто ошибается.
model-tiny-en = Самая маленькая для английского: быстра на любой машине и иногда ошибается.
model-base = Быстрая; достаточно хороша для ясной речи на распространённом языке.
model-base-en = Быстрая; хороша для ясной английской речи.
model-base-q5-1 = Та же base, но вдвое с лишним меньше и почти так же хороша.
model-small = Хороший выбор для большинства машин и языков.
model-small-en = Хороший выбор для английского на большинстве машин.
model-small-q5-1 = Та же small, но вдвое с лишним меньше и почти так же хороша.
model-medium = Очень хороша и без быстрой машины медленна.
model-medium-q5-0 = Та же medium, но втрое меньше и почти так же хороша.
model-large-v3-turbo-q5-0 = Почти лучшая, не медленнее medium и невелика. Не переводит.
model-large-v3-turbo = Почти лучшая и не медленнее medium. Не переводит.
model-large-v3 = Лучшая: для быстрых машин с большой памятью.
model-silero-v6-2-0 = Находит, где говорят, в шуме лучше встроенного. Сама ничего не записывает.

settings-theme = Цвета
settings-theme-system = Как в системе
settings-theme-light = Светлые
settings-theme-dark = Тёмные
settings-theme-contrast = Контрастные
settings-text-size = Размер всего
settings-percent = { $percent } %
settings-smaller = Меньше
settings-larger = Больше
settings-writing = Набор
settings-enter = Enter отправляет
settings-enter-words = Иначе отправляет Ctrl+Enter.
settings-renderer = Чем рисовать окно (со следующего запуска)
settings-processor = Процессором
settings-processor-words = Нужно мало памяти, работает везде.
settings-graphics = Видеокартой
settings-graphics-words = Плавнее на больших экранах, но памяти нужно больше.
settings-language-system = Как в системе

settings-export = Забрать всё с собой
settings-export-words = Записывает сообщения в папку обычными файлами. Их прочитает каждый, кому доступна папка.
settings-export-start = Выгрузить…
settings-exporting = Выгружаем…
settings-exported =
    { $messages ->
        [one] { $messages } сообщение — в { $path }
        [few] { $messages } сообщения — в { $path }
       *[many] { $messages } сообщений — в { $path }
    }
settings-erase = Ничего не оставить
settings-erase-words = Удаляет с этого устройства профиль: сообщения, контакты и ключи. Аккаунт остаётся на ретрансляторе и на других ваших устройствах; без другого устройства и без пароля он потерян.
settings-erase-start = Стереть профиль…
settings-erase-confirm = Введите { $word }, чтобы стереть здесь всё
settings-erase-now = Стереть всё
settings-erasing = Стираем…

settings-this-device = Это устройство
settings-relay-connected = На связи
settings-relay-away = Нет связи
settings-addresses = Где его можно найти
settings-no-address = Сейчас нигде
settings-undelivered = В пути
settings-undelivered-count =
    { $count ->
        [one] { $count } сообщение ещё не доставлено
        [few] { $count } сообщения ещё не доставлены
       *[many] { $count } сообщений ещё не доставлено
    }
settings-refused = Не принято
settings-refused-count =
    { $count ->
        [one] Пришёл и отброшен { $count } негодный пакет данных
        [few] Пришло и отброшено { $count } негодных пакета данных
       *[many] Пришло и отброшено { $count } негодных пакетов данных
    }
settings-warnings = На что взглянуть
settings-contacts = Контакты
settings-no-contacts = Пока никого.
settings-round-trip = { $path }, { $ms } мс
settings-log = Журнал
settings-log-words = Для того, кто вам помогает. В нём нет ни сообщений, ни ключей.
settings-log-last = Последние 500 строк

settings-about-words = Kith передаёт сообщения прямо от человека к человеку. Сказанное остаётся между ними.
settings-version = Версия
settings-licence = Лицензия
settings-made-with = Сделано с помощью

error-picture-large = Этот файл слишком велик для картинки.

## What Kith says of itself, by the core's words for it. A length stands in it as after “for” or “in”.

length-seconds = { $count ->
    [one] { $count } секунду
    [few] { $count } секунды
   *[many] { $count } секунд
}
length-minutes = { $count ->
    [one] { $count } минуту
    [few] { $count } минуты
   *[many] { $count } минут
}
length-hours = { $count ->
    [one] { $count } час
    [few] { $count } часа
   *[many] { $count } часов
}
length-days = { $count ->
    [one] { $count } день
    [few] { $count } дня
   *[many] { $count } дней
}

told-best = прямое соединение
told-not-a-contact = не среди контактов
told-direct-off = прямые соединения выключены
told-no-address = адрес неизвестен
told-not-tried = ещё не пробовали
told-connecting = соединяемся
told-ended = соединение закончилось
told-no-device = устройства этого человека неизвестны
told-unreachable = по известным адресам никто не отвечает
told-wrong-key = по этому адресу отвечает кто-то другой
told-backing-off = ответа не было; следующая попытка через { $length }
told-lost = соединение потеряно
told-timed-out = ответ не пришёл вовремя
told-unsupported = на другой стороне другая версия Kith
told-peer-refused = другая сторона отклонила запрос
told-nonsense = ответ не удаётся понять
told-busy = слишком много дел сразу; будет новая попытка
told-network-broken = на этом устройстве не работает сеть
told-shut-down = Kith завершает работу
told-no-relay = у этой учётной записи нет ретранслятора
told-relay-away = ретранслятор недоступен; передача продолжится, когда он ответит
told-relay-refused = ретранслятор отказывает
told-not-signed-in = ретранслятор не знает это устройство
told-too-many = ретранслятор просит подождать; снова через { $length }
told-try-later = ретранслятор занят; будет новая попытка
told-not-stored = то, что ждёт на ретрансляторе, сейчас некуда сохранить
told-waits-for-keys = это устройство ждёт, пока его добавят снова; сообщение сохранено и уйдёт потом
told-not-member = это устройство больше не участвует в чате
told-blocked = этот человек вами заблокирован; сначала снимите блокировку
told-mailbox-full = почтовый ящик получателя полон; сообщение сохранено и уйдёт, когда появится место
told-mailbox-closed = ретранслятор получателя сейчас не принимает ваши сообщения; сообщение сохранено и уйдёт позже
told-device-refuses = устройство получателя сейчас не принимает ваши сообщения; сообщение сохранено и уйдёт позже
told-no-keeper = ретранслятор не хранит этот файл: он уйдёт, когда появится прямое соединение с устройством получателя
told-file-gone = файла больше нет на этом устройстве, поэтому отправить его нельзя
told-too-large-for-relay = файл больше, чем принимает ретранслятор
told-quota = ваше место на ретрансляторе занято, пока не заберут то, что там ждёт
told-nobody-has-it = отправитель сейчас не в сети, и на ретрансляторе файла нет; он загрузится позже сам
told-lied-to = пришло не то, что объявил отправитель; файл загрузится из другого источника
told-transfer-disk-full = диск заполнен: освободите место, и передача продолжится сама
told-transfer-failed = диск не принимает или не отдаёт файл
told-model-unavailable = Модель не удалось загрузить ниоткуда. Есть ли связь с интернетом?
told-model-disk-full = Диск заполнен. Освободите место и продолжите загрузку.
told-model-failed = Модель не удалось загрузить.
told-microphone-away = Выбранного микрофона нет: пока его нет, используется «{ $name }».
told-speaker-away = Выбранного динамика нет: пока его нет, звук идёт через «{ $name }».
told-disk-full = Диск заполнен: сообщения не отправляются и не приходят. Освободите место, и Kith продолжит сам.
told-profile-unwritable = Данные на этом устройстве не записываются, поэтому сообщения не отправляются и не приходят. Ничего не потеряно, Kith попробует снова сам.
told-begun-anew = То, что выполнялось, пришлось начать заново. Ничего не потеряно.
told-recovered = Данные на этом устройстве снова записываются: Kith продолжает работу.
told-snapshot-failed = Не удалось записать запасную копию данных.
told-choices-unreadable = Ваши настройки на этом устройстве не читаются, поэтому скрыто всё, что вы могли скрыть. Задайте их заново.
told-speech-choices-unreadable = Настройки речи не читаются. Задайте их заново.
told-clock-ahead = Часы этого устройства спешат на { $length } относительно ретранслятора. Поправьте их: их время видно на ваших сообщениях.
told-clock-behind = Часы этого устройства отстают на { $length } от ретранслятора. Поправьте их: их время видно на ваших сообщениях.
told-record-old = Ретранслятор показывает устаревшую запись о «{ $name }». Возможно, он скрывает смену устройств.
told-record-forked = О «{ $name }» есть две разные записи. Сверьте коды безопасности, прежде чем писать.
told-home-lied = Тот, кто ведёт журнал чата «{ $name }», показал две его версии. Доказательство сохранено, чат переезжает.
told-home-lost = Тот, кто ведёт журнал чата «{ $name }», недоступен или потерял его. Сообщения ходят, но состав участников изменить нельзя.
told-not-added = { $other }: не удалось добавить в группу «{ $name }». Устройства этого человека недоступны, или группа больше никого не принимает. Попробуйте ещё раз, когда он побывает в сети.
told-says-member = { $other }: устройство этого человека сообщает, что он состоит в группе «{ $name }», а в старой копии, к которой вернулось это устройство, его там нет. Добавьте его снова, если он должен быть в группе.
told-feed-forked = Устройство { $other } подписало два разных сообщения на одном месте в чате «{ $name }». Возможно, его скопировали.
told-device-removed = Это устройство удалено из аккаунта. Оно не получает нового и ничего не отправляет; то, что было, осталось здесь.
told-keys-lost = Это устройство потеряло ключи чата «{ $name }» и попросило добавить его снова. Написанное сохранится и уйдёт потом.
told-name-of-another = { $name } просит о знакомстве под именем { $handle }, а под ним у вас уже есть контакт { $other }. Сверьте коды безопасности, прежде чем принять.
told-other-account = За именем { $handle } теперь другая учётная запись, не ваш контакт { $other }. Ретранслятор мог отдать имя другому или обманывает. Сверьте коды безопасности, прежде чем доверять.
told-request-refused = Ваш запрос контакту «{ $name }» не приняли.

## More of what goes wrong

error-no-profile = На этом устройстве ещё нет учётной записи.
error-no-directory = Система не сообщает, где хранить учётную запись.
error-no-account = В сохранённых данных нет учётной записи. Войдите снова.
error-start = Kith не запускается с этой учётной записью. Закройте другие программы, занявшие сетевой порт, и повторите.
error-disk-full = Диск заполнен. Освободите место и повторите.
error-address = Этот адрес не удаётся прочитать.
error-wrong-record = Ретранслятор показывает не ту учётную запись, что указана в ссылке.
error-no-conversation = Этого чата больше нет.
error-no-contact = Такого контакта или запроса больше нет.
error-no-message = Этого сообщения больше нет.
error-too-long = Текст слишком длинный. Отправьте его частями или файлом.
error-not-allowed = В этом чате вам это не разрешено.
error-not-member = Это устройство больше не участвует в чате.
error-rejoining = Это устройство ждёт, пока его снова добавят в чат. Написанное сохранится и уйдёт потом.
error-command = Это не удалось сделать.
error-no-voice-note = Здесь нет голосового сообщения, которое можно превратить в текст.
error-no-file = В этом сообщении нет файла.
error-not-here = Этого файла ещё нет на устройстве. Сначала загрузите его.
error-not-saved = Файл не удалось сохранить туда. Выберите другое место.
error-too-large = Этот файл больше 2 ГиБ: больше отправить нельзя.
error-attachment = Этот файл повреждён, или диск его не отдаёт.
error-file = Этот файл не удаётся прочитать.
error-export = Туда ничего не сохранено. Выберите другое место.
error-erase = Удалить удалось не всё. Попробуйте ещё раз.
error-sound = Этот звук не удаётся прочитать. Возможно, он повреждён.
error-sound-too-long = Голосовое сообщение может длиться не больше часа.
error-sound-empty = В этой записи нет звука.
error-no-sound-system = Звуковая система компьютера не отвечает. Войдите в систему заново или запустите PipeWire или PulseAudio.
error-no-microphone = Микрофон не найден. Подключите его и повторите.
error-no-speaker = Не найдены динамики или наушники. Подключите их и повторите.
error-microphone-denied = Kith не разрешено использовать микрофон. Разрешите это в настройках конфиденциальности системы.
error-speaker-denied = Kith не разрешено воспроизводить звук. Разрешите это в настройках системы.
error-sound-busy = Звуковое устройство занято другой программой. Закройте её или выберите другое устройство в настройках.
error-sound-gone = Звуковое устройство отключено.
error-sound-unsupported = Звуковое устройство не поддерживает нужный формат. Выберите другое в настройках.
error-sound-device = Звуковое устройство дало сбой. Подключите его заново или выберите другое в настройках.
error-model = Этой модели распознавания нет на устройстве. Загляните в настройки речи.
error-model-download = Модель распознавания сейчас не загрузить. Есть ли связь с интернетом?
error-paused = Загрузка приостановлена. Она продолжится с того же места.
error-cancelled = Это отменено.
error-speech = Голосовое сообщение не удалось превратить в текст.
error-no-transcript = У этого голосового сообщения ещё нет текста.
error-not-running = Kith больше не отвечает. Запустите его снова.
error-closed = Соединение с Kith закрыто. Запустите его снова.
error-socket-not-ours = В папке учётной записи лежит что-то постороннее. Уберите его и повторите.
error-socket-path = Папку этой учётной записи нельзя использовать.
error-connection-broken = Соединение с уже запущенным Kith потеряно.
error-line-too-long = Ответ оказался слишком длинным.
error-control-version = Уже запущена другая версия Kith. Закройте её и установите новейшую.
error-model-file = Этот файл — не известная Kith модель распознавания, или он повреждён.
error-mirror = Это не адрес папки вроде https://example.org/models.
error-many-downloads = Уже загружаются другие модели. Дождитесь одной из них или приостановите её.
