# Спільне для першого запуску й налаштувань (`back`, `cancel`, `close` і `copy` — в іншому місці).
continue = Далі
copied = Скопійовано

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
welcome-password-again = Пароль ще раз
welcome-passphrase = Парольна фраза
welcome-passphrase-again = Парольна фраза ще раз
welcome-show = Показати
welcome-hide = Сховати
welcome-empty = Заповніть це поле.
welcome-differs = Не збігається з першим.
welcome-password-rule =
    { $count ->
        [one] Щонайменше { $count } символ. Чотири слова — добре.
        [few] Щонайменше { $count } символи. Чотири слова — добре.
       *[many] Щонайменше { $count } символів. Чотири слова — добре.
    }
welcome-password-short =
    { $count ->
        [one] Потрібен ще { $count } символ.
        [few] Потрібно ще { $count } символи.
       *[many] Потрібно ще { $count } символів.
    }
welcome-password-long = Задовго.
welcome-password-common = Такий підбирають першим.
welcome-password-pattern = Це візерунок, який легко вгадати.
welcome-password-handle = Тут майже саме ваше ім’я.
welcome-password-fair = Годиться. З іще одним словом буде краще.
welcome-password-good = Добрий.
welcome-password-strong = Надійний.
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

welcome-creating = Створюємо ваш обліковий запис
welcome-creating-words = Kith звертається до ретранслятора і створює ваші ключі. Пароль підсилюється, щоб його довго підбирали: це забере кілька секунд.
welcome-creating-local = Kith створює ваші ключі. Парольна фраза підсилюється, щоб її довго підбирали: це забере кілька секунд.
welcome-logging-in = Входимо
welcome-logging-in-words = Kith звертається до ретранслятора і відкриває ваші ключі паролем. Він підсилюється, щоб його довго підбирали: це забере кілька секунд.
welcome-waiting = Хвилинку
welcome-waiting-words = Те, що ви скасували, ще завершується. Потім продовжимо з тим, що ви ввели зараз.

welcome-recovery-title = Ваш код відновлення
welcome-recovery-words = Якщо ви забудете пароль, лише цей код відкриє ваш обліковий запис. Його показують один раз, і більше ніхто його не має.
welcome-recovery-save = Зберегти у файл
welcome-recovery-saved = Збережено: { $path }
welcome-recovery-written = Код записано
welcome-recovery-file = Це код відновлення вашого облікового запису Kith. Він відкриває запис кожному, хто його має: зберігайте його там, куди ніхто не зазирає.

# Що може не вдатися під час першого запуску.
error-handle-taken = Це ім’я зайняте або надто схоже на зайняте.
error-handle = Ретранслятор не приймає такого імені.
error-weak-password = Цей пароль надто легко вгадати.
error-wrong-password = Неправильне ім’я або пароль.
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
error-file-exists = Файл із такою назвою вже є. Оберіть іншу назву.
error-onboarding = Ретранслятор і Kith не зрозуміли одне одного. Спробуйте ще раз.
error-refused = Ретранслятор відмовляє.
