# Общее для первого запуска и настроек (`back`, `cancel`, `close` и `copy` — в другом месте).
continue = Продолжить
copied = Скопировано

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
welcome-password-again = Пароль ещё раз
welcome-passphrase = Парольная фраза
welcome-passphrase-again = Парольная фраза ещё раз
welcome-show = Показать
welcome-hide = Скрыть
welcome-empty = Заполните это поле.
welcome-differs = Не совпадает с первым.
welcome-password-rule =
    { $count ->
        [one] Не меньше { $count } символа. Хорошо подходят четыре слова.
        [few] Не меньше { $count } символов. Хорошо подходят четыре слова.
       *[many] Не меньше { $count } символов. Хорошо подходят четыре слова.
    }
welcome-password-short =
    { $count ->
        [one] Нужен ещё { $count } символ.
        [few] Нужно ещё { $count } символа.
       *[many] Нужно ещё { $count } символов.
    }
welcome-password-long = Слишком длинно.
welcome-password-common = Такой подбирают первым.
welcome-password-pattern = Это узор, который легко угадать.
welcome-password-handle = Здесь почти одно ваше имя.
welcome-password-fair = Сойдёт. С ещё одним словом будет лучше.
welcome-password-good = Хороший.
welcome-password-strong = Надёжный.
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

welcome-creating = Создаём ваш аккаунт
welcome-creating-words = Kith обращается к ретранслятору и создаёт ваши ключи. Пароль усиливается, чтобы его долго подбирали: это займёт несколько секунд.
welcome-creating-local = Kith создаёт ваши ключи. Парольная фраза усиливается, чтобы её долго подбирали: это займёт несколько секунд.
welcome-logging-in = Входим
welcome-logging-in-words = Kith обращается к ретранслятору и открывает ваши ключи паролем. Он усиливается, чтобы его долго подбирали: это займёт несколько секунд.
welcome-waiting = Минутку
welcome-waiting-words = То, что вы отменили, ещё завершается. Затем продолжим с тем, что вы ввели сейчас.

welcome-recovery-title = Ваш код восстановления
welcome-recovery-words = Если вы забудете пароль, только этот код откроет ваш аккаунт. Он показывается один раз, и ни у кого больше его нет.
welcome-recovery-save = Сохранить в файл
welcome-recovery-saved = Сохранено: { $path }
welcome-recovery-written = Код записан
welcome-recovery-file = Это код восстановления вашего аккаунта Kith. Он открывает аккаунт любому, у кого есть: храните его там, куда никто не заглядывает.

# Что может не получиться при первом запуске.
error-handle-taken = Это имя занято или слишком похоже на занятое.
error-handle = Ретранслятор не принимает такое имя.
error-weak-password = Этот пароль слишком легко угадать.
error-wrong-password = Неверное имя или пароль.
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
error-file-exists = Файл с таким именем уже есть. Выберите другое имя.
error-onboarding = Ретранслятор и Kith не поняли друг друга. Попробуйте ещё раз.
error-refused = Ретранслятор отказывает.
