# Налаштування.
settings = Налаштування
settings-profile = Профіль
settings-account = Ретранслятор і обліковий запис
settings-devices = Пристрої
settings-privacy = Приватність
settings-notifications = Сповіщення
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
settings-profile-too-long = { $count ->
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
settings-devices-words = Кожен пристрій облікового запису читає всі його повідомлення.

settings-receipts = Позначки про прочитання
settings-receipts-words = Інші бачать, що ви прочитали.
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
settings-sounds-words = Тихий звук, коли надходить повідомлення.
settings-tray = Лишатися в лотку
settings-tray-words = Після закриття вікна Kith працює далі, якщо система має лоток.

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
settings-warnings = На що поглянути
settings-contacts = Контакти
settings-no-contacts = Поки нікого.
settings-round-trip = { $path }, { $ms } мс
settings-log = Журнал
settings-log-words = Для того, хто вам допомагає. У ньому немає ані повідомлень, ані ключів.
settings-log-last = Останні 500 рядків
why-best = пряме з’єднання
why-not-a-contact = не серед контактів
why-always-relay = прямі з’єднання вимкнено
why-no-address = адреса невідома
why-not-tried = ще не пробували
why-connecting = з’єднуємося
why-ended = з’єднання закінчилося
why-no-device = пристрої цієї людини невідомі

settings-about-words = Kith передає повідомлення просто від людини до людини. Сказане лишається між ними.
settings-version = Версія
settings-licence = Ліцензія
settings-made-with = Створено за допомогою

error-picture = Це не зображення, яке можна прочитати. Підійдуть PNG і JPEG.
error-picture-large = Цей файл завеликий для зображення.
