# Настройки.
settings = Настройки
settings-profile = Профиль
settings-account = Ретранслятор и аккаунт
settings-devices = Устройства
settings-privacy = Конфиденциальность
settings-notifications = Уведомления
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
settings-profile-too-long = { $count ->
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
settings-devices-words = Каждое устройство аккаунта читает все его сообщения.

settings-receipts = Отметки о прочтении
settings-receipts-words = Другие видят, что вы прочитали.
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
settings-sounds-words = Тихий звук, когда приходит сообщение.
settings-tray = Оставаться в лотке
settings-tray-words = После закрытия окна Kith продолжает работать, если в системе есть лоток.

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
settings-warnings = На что взглянуть
settings-contacts = Контакты
settings-no-contacts = Пока никого.
settings-round-trip = { $path }, { $ms } мс
settings-log = Журнал
settings-log-words = Для того, кто вам помогает. В нём нет ни сообщений, ни ключей.
settings-log-last = Последние 500 строк
why-best = прямое соединение
why-not-a-contact = не среди контактов
why-always-relay = прямые соединения выключены
why-no-address = адрес неизвестен
why-not-tried = ещё не пробовали
why-connecting = соединяемся
why-ended = соединение закончилось
why-no-device = устройства этого человека неизвестны

settings-about-words = Kith передаёт сообщения прямо от человека к человеку. Сказанное остаётся между ними.
settings-version = Версия
settings-licence = Лицензия
settings-made-with = Сделано с помощью

error-picture = Это не картинка, которую можно прочитать. Подойдут PNG и JPEG.
error-picture-large = Этот файл слишком велик для картинки.
