use kith_core::wire::control::{Code, ContactRequest, Event, Page, Said, Status};

use super::list::tests::chat;
use super::*;
use crate::backend::asked::tests::Record;
use crate::keys::Press;
use crate::platform::sign::Sign;
use crate::problem::Problem;
use crate::samples::message;
use crate::snapshots::{World, outputs};
use crate::widget::stage::{Stage, frame, moved, wheel};

/// The main window without a profile behind it.
struct Window {
    world: World,
    home: Home,
    record: Record,
}

impl Window {
    fn new(names: &[&str]) -> Self {
        let (backend, record) = Backend::detached();
        let world = World::new(1000.0, 700.0);
        let (home, _) = Home::new(backend, None, world.context());
        let mut window = Self { world, home, record };
        let me = Me { account: "me".into(), device: "d".into(), handle: None, relays: Vec::new(), devices: 1 };
        let chats = names.iter().map(|name| chat(name)).collect();
        let request = ContactRequest {
            account: "account-Eve".into(),
            handle: None,
            text: String::new(),
            sent_ms: 0,
            remembered: false,
        };
        window.hears(Message::Loaded(Ok(Overview { me, chats, requests: vec![request] })));
        window
    }

    fn hears(&mut self, message: Message) -> Vec<Message> {
        match self.home.update(message, self.world.context()) {
            Action::Run(task) | Action::Set(_, task) | Action::Raise(task) => outputs(task),
            _ => Vec::new(),
        }
    }

    fn tells(&mut self, event: Event) -> Vec<Message> {
        outputs(self.home.told(event, true, self.world.context()))
    }

    fn opens(&mut self, name: &str) {
        self.hears(Message::List(list::Message::Open(format!("id-{name}"))));
        let _ = self.record.asked();
    }

    fn open(&self) -> Option<&str> {
        self.home.open.as_ref().map(|open| open.chat().name.as_str())
    }

    fn pages(&self) -> usize {
        self.record.asked().iter().filter(|request| matches!(request, Request::Page { .. })).count()
    }
}

/// What is said of a device whose relay is not reached.
pub(super) fn not_reached(why: Option<Said>) -> Status {
    Status {
        relay_connected: Some(false),
        relay_problem: why.map(Box::new),
        addresses: Vec::new(),
        undelivered: 0,
        contacts: Vec::new(),
        refused: [].into(),
        warnings: Vec::new(),
    }
}

fn page() -> Page {
    Page { messages: vec![message(1, "hello")], more_before: false, more_after: false, first_unread: None }
}

#[tokio::test]
async fn an_answer_for_a_chat_that_was_left_changes_nothing() {
    let mut window = Window::new(&["Ann", "Bob"]);
    window.opens("Ann");
    window.opens("Bob");
    let late = conversation::Message::Done(Err(Problem::new("no_message", "it is gone")));
    window.hears(Message::Conversation("id-Ann".into(), late));
    assert!(!window.home.open.as_mut().unwrap().escape(), "Bob's conversation says nothing");
    window.hears(Message::Conversation(
        "id-Bob".into(),
        conversation::Message::Done(Err(Problem::new("no_message", "it is gone"))),
    ));
    assert!(window.home.open.as_mut().unwrap().escape());
}

#[tokio::test]
async fn a_message_of_the_open_chat_is_fetched_and_one_of_another_is_not() {
    let mut window = Window::new(&["Ann", "Bob"]);
    window.world.settings.notifications = false;
    window.opens("Bob");
    window.hears(Message::Conversation("id-Bob".into(), conversation::Message::Opened(Ok(page()))));
    let _ = window.record.asked();
    let of = |name: &str| kith_core::wire::control::Message { conversation: format!("id-{name}"), ..message(2, "hi") };
    window.tells(Event::Message { message: of("Ann") });
    assert_eq!(window.pages(), 0);
    window.tells(Event::Message { message: of("Bob") });
    assert_eq!(window.pages(), 1);
}

#[tokio::test]
async fn a_message_is_heard_unless_it_is_seen_or_not_to_be_heard() {
    let mut window = Window::new(&["Ann", "Bob"]);
    window.world.settings.notifications = false;
    window.opens("Bob");
    let message =
        |name: &str| kith_core::wire::control::Message { conversation: format!("id-{name}"), ..message(2, "") };
    let hears = |window: &mut Window, message, is_seen| {
        let _ = outputs(window.home.told(Event::Message { message }, is_seen, window.world.context()));
        window.record.heard()
    };
    assert_eq!(hears(&mut window, message("Ann"), true), [Sign::Came], "another chat is open");
    assert_eq!(hears(&mut window, message("Bob"), true), [], "somebody sees it come");
    assert_eq!(hears(&mut window, message("Bob"), false), [Sign::Came], "the window is not in front");
    let mine = kith_core::wire::control::Message { mine: true, ..message("Ann") };
    assert_eq!(hears(&mut window, mine, true), []);
    window.tells(Event::Chat { chat: Chat { muted: true, ..chat("Ann") } });
    assert_eq!(hears(&mut window, message("Ann"), false), []);
    window.world.settings.sounds = false;
    assert_eq!(hears(&mut window, message("Bob"), false), [], "sounds are switched off");
    // One's own, once it is queued.
    let sent = || conversation::Message::Sent(0, Ok(Box::new(message("Bob"))));
    window.hears(Message::Conversation("id-Bob".into(), sent()));
    assert_eq!(window.record.heard(), []);
    window.world.settings.sounds = true;
    window.hears(Message::Conversation("id-Bob".into(), sent()));
    assert_eq!(window.record.heard(), [Sign::Sent]);
}

#[tokio::test]
async fn a_chat_that_changes_changes_in_the_list_and_where_it_is_open() {
    let mut window = Window::new(&["Ann", "Bob"]);
    window.opens("Bob");
    window.hears(Message::Conversation("id-Bob".into(), conversation::Message::ToggleDetails));
    window.tells(Event::Chat { chat: Chat { unread: 3, muted: true, ..chat("Bob") } });
    assert_eq!(window.home.list.chat("id-Bob").unwrap().unread, 3);
    assert!(window.home.open.as_ref().unwrap().chat().muted);
    window.tells(Event::ChatGone { chat: "id-Bob".into() });
    assert!(window.home.open.is_none() && window.home.details.is_none() && window.home.list.chat("id-Bob").is_none());
    window.tells(Event::ChatGone { chat: "id-Bob".into() });
}

#[tokio::test]
async fn a_chat_that_somebody_looks_at_is_read_whenever_its_count_is_told() {
    let mut window = Window::new(&["Bob"]);
    window.opens("Bob");
    window.hears(Message::Conversation("id-Bob".into(), conversation::Message::Opened(Ok(page()))));
    let is_read = |window: &Window| window.record.asked().iter().any(|it| matches!(it, Request::MarkRead { .. }));
    assert!(!is_read(&window), "there is nothing unread");
    window.hears(Message::ShowHelp);
    window.tells(Event::Chat { chat: Chat { unread: 1, ..chat("Bob") } });
    assert!(!is_read(&window), "something lies above it");
    window.hears(Message::CloseModal);
    window.tells(Event::Chat { chat: Chat { unread: 1, ..chat("Bob") } });
    assert!(is_read(&window));
}

#[tokio::test]
async fn a_new_recovery_code_is_shown_to_who_has_left_the_settings_too() {
    let mut window = Window::new(&["Bob"]);
    let told = |code: Option<&str>| {
        let code = code.map(|code| zeroize::Zeroizing::new(code.to_owned()));
        Message::Settings(settings::Message::password_changed(code))
    };
    window.hears(told(None));
    assert!(window.home.page.is_none(), "there is nothing that could be lost");
    window.hears(told(Some("K7QX-ABCD-EFGH-JKMN-PQRS-TVWX-YZ01")));
    assert!(window.home.page.is_some());
}

#[tokio::test]
async fn whether_the_relay_is_reached_is_told_by_it_alone() {
    let mut window = Window::new(&["Bob"]);
    let connection = |who: &str, path: &str| Event::Connection { who: who.into(), path: path.into(), why: None };
    window.tells(connection("account-Bob", "none"));
    assert_eq!(window.home.link, Link::Unknown);
    window.tells(connection("relay", "none"));
    assert_eq!(window.home.link, Link::Down(None));
    window.tells(connection("relay", "direct"));
    assert_eq!(window.home.link, Link::Up);
    // An answer that was under way since before that.
    let why = Said::new(Code::Unreachable, "");
    window.hears(Message::StatusKnown(Ok(Box::new(not_reached(Some(why.clone()))))));
    assert_eq!(window.home.link, Link::Up);
    window.tells(Event::Lagged { missed: 3 });
    window.hears(Message::StatusKnown(Ok(Box::new(not_reached(Some(why.clone()))))));
    assert_eq!(window.home.link, Link::Down(Some(why)));
    let mut window = Window::new(&["Bob"]);
    window.hears(Message::StatusKnown(Ok(Box::new(not_reached(None)))));
    assert_eq!(window.home.link, Link::Calling, "nothing went wrong yet");
}

#[tokio::test]
async fn a_member_of_a_group_is_seen_as_they_say_although_they_are_no_contact() {
    let mut window = Window::new(&["Ann", "Climbers"]);
    let group = Chat { kind: "group".into(), account: None, members: 2, ..chat("Climbers") };
    window.tells(Event::Chat { chat: group });
    window.hears(Message::List(list::Message::Open("id-Climbers".into())));
    window.home.toggle_details();
    let member = |picture: Option<&str>| Member {
        account: "account-Eve".into(),
        name: "Eve".into(),
        handle: None,
        verified: false,
        me: false,
        devices: 1,
        picture: picture.map(str::to_owned),
    };
    let _ = window.record.asked();
    let known = |picture| Message::Details(details::Message::MembersKnown(Ok(vec![member(picture)])));
    window.hears(known(None));
    assert_eq!(window.record.asked(), []);
    window.tells(Event::Contact { account: "account-Ann".into() });
    assert_eq!(window.record.asked(), [], "Ann is not in it");
    window.tells(Event::Contact { account: "account-Eve".into() });
    assert_eq!(window.record.asked(), [Request::Members { with: "id-Climbers".into() }]);
    let asked = [Request::Profile { who: Some("account-Eve".into()) }];
    window.hears(known(Some("a picture")));
    assert_eq!(window.record.asked(), asked);
    window.hears(known(Some("a picture")));
    assert_eq!(window.record.asked(), [], "it is read once");
}

#[tokio::test]
async fn after_lost_events_everything_is_asked_anew() {
    let mut window = Window::new(&["Bob"]);
    window.opens("Bob");
    window.hears(Message::Conversation("id-Bob".into(), conversation::Message::Opened(Ok(page()))));
    let _ = window.record.asked();
    window.tells(Event::Lagged { missed: 9 });
    let asked = window.record.asked();
    assert!(asked.contains(&Request::Whoami) && asked.contains(&Request::Status));
    assert!(asked.iter().any(|request| matches!(request, Request::Page { .. })));
}

#[tokio::test]
async fn whoever_is_accepted_is_opened_and_a_refusal_is_told() {
    let mut window = Window::new(&["Bob"]);
    window.hears(Message::List(list::Message::Review("account-Eve".into())));
    let answers = window.hears(Message::Review(review::Message::Accept));
    assert!(window.record.asked().contains(&Request::Accept { who: "account-Eve".into() }));
    assert!(matches!(answers[..], [Message::Reviewed(_, Err(_))]));
    for answer in answers {
        window.hears(answer);
    }
    assert_eq!(window.home.warnings.len(), 1);
    assert!(window.home.list.request("account-Eve").is_some(), "it can be answered again");
    window.hears(Message::List(list::Message::Review("account-Eve".into())));
    window.tells(Event::Chat { chat: chat("Eve") });
    window.hears(Message::Reviewed("account-Eve".into(), Ok(())));
    assert_eq!(window.open(), Some("Eve"));
    assert!(window.home.modal.is_none());
}

#[tokio::test]
async fn nothing_is_lost_without_a_yes() {
    let mut window = Window::new(&["Bob"]);
    window.opens("Bob");
    let mine = kith_core::wire::control::Message { mine: true, ..message(1, "oops") };
    let opened = conversation::Message::Opened(Ok(Page { messages: vec![mine], ..page() }));
    window.hears(Message::Conversation("id-Bob".into(), opened));
    let delete = || conversation::Message::Delete(timeline::key_of("feed.0.1"));
    let is_delete = |request: &Request| matches!(request, Request::Delete { .. });
    window.hears(Message::Conversation("id-Bob".into(), delete()));
    window.hears(Message::Question(question::Message::No));
    assert!(!window.record.asked().iter().any(is_delete));
    window.hears(Message::Question(question::Message::Yes));
    assert!(!window.record.asked().iter().any(is_delete), "nothing is asked any more");
    window.hears(Message::Conversation("id-Bob".into(), delete()));
    window.hears(Message::Question(question::Message::Yes));
    assert!(window.record.asked().iter().any(is_delete));
}

#[tokio::test]
async fn keys_lead_from_chat_to_chat_and_not_past_what_lies_above() {
    let mut window = Window::new(&["Ann", "Bob"]);
    let press = |window: &mut Window, key: Press| {
        let _ = window.home.key_pressed(&key, window.world.context());
    };
    press(&mut window, Press::NextChat);
    assert_eq!(window.open(), Some("Ann"));
    press(&mut window, Press::Chat(2));
    assert_eq!(window.open(), Some("Bob"));
    press(&mut window, Press::NextChat);
    assert_eq!(window.open(), Some("Bob"), "it is the last");
    press(&mut window, Press::Help);
    press(&mut window, Press::PreviousChat);
    assert_eq!(window.open(), Some("Bob"));
    press(&mut window, Press::Escape);
    assert!(window.home.modal.is_none());
    press(&mut window, Press::PreviousChat);
    assert_eq!(window.open(), Some("Ann"));
}

#[tokio::test]
async fn keys_mark_a_chat_to_jump_to_and_choose_a_message() {
    let mut window = Window::new(&["Ann", "Bob"]);
    let press = |window: &mut Window, key: Press| {
        let _ = window.home.key_pressed(&key, window.world.context());
    };
    for (keys, name) in [(vec![Press::Down], "Bob"), (vec![Press::Down, Press::Up], "Ann")] {
        press(&mut window, Press::Switcher);
        for key in keys {
            press(&mut window, key);
        }
        window.hears(Message::Switcher(switcher::Message::Submit));
        assert_eq!(window.open(), Some(name));
    }
    window.opens("Bob");
    window.hears(Message::Conversation("id-Bob".into(), conversation::Message::Opened(Ok(page()))));
    press(&mut window, Press::Down);
    assert!(!window.home.open.as_mut().unwrap().escape(), "there is nothing to be marked");
    press(&mut window, Press::OlderMessage);
    assert!(window.home.open.as_mut().unwrap().escape(), "what can be done with a message was shown");
}

#[tokio::test]
async fn somebody_is_asked_once_and_told_why_not() {
    let mut window = Window::new(&[]);
    window.hears(Message::ShowAdd);
    window.hears(Message::Add(add::Message::Submit));
    assert!(window.record.asked().iter().all(|request| !matches!(request, Request::Add { .. })), "nobody is named");
    window.hears(Message::Add(add::Message::WhoChanged(" bob@home ".into())));
    window.hears(Message::Add(add::Message::GreetingChanged("hi".into())));
    window.hears(Message::Add(add::Message::GreetingChanged("long".repeat(1000))));
    let answers = window.hears(Message::Add(add::Message::Submit));
    window.hears(Message::Add(add::Message::Submit));
    let adds: Vec<Request> =
        window.record.asked().into_iter().filter(|request| matches!(request, Request::Add { .. })).collect();
    assert_eq!(adds, [Request::Add { who: "bob@home".into(), text: "hi".into() }]);
    for answer in answers {
        window.hears(answer);
    }
    assert!(window.home.modal.is_some(), "what was typed stays");
    window.hears(Message::Add(add::Message::Asked(Ok(()))));
    assert!(window.home.modal.is_none());
}

#[tokio::test]
async fn a_group_wants_a_name_and_somebody_in_it() {
    let mut window = Window::new(&["Ann"]);
    let groups = |window: &Window| {
        window.record.asked().into_iter().filter(|request| matches!(request, Request::CreateGroup { .. })).count()
    };
    window.hears(Message::ShowGroup);
    window.hears(Message::Group(group::Message::NameChanged("Climbing".into())));
    window.hears(Message::Group(group::Message::Submit));
    assert_eq!(groups(&window), 0);
    window.hears(Message::Group(group::Message::Toggle("account-Ann".into())));
    window.hears(Message::Group(group::Message::Submit));
    assert_eq!(groups(&window), 1);
    window.hears(Message::Group(group::Message::Created(Ok("id-Ann".into()))));
    assert_eq!(window.open(), Some("Ann"));
}

#[tokio::test]
async fn a_warning_stands_once_until_it_was_read() {
    let mut window = Window::new(&[]);
    for _ in 0..3 {
        window.tells(Event::Warning { said: Said::new(Code::Recovered, "look") });
    }
    assert_eq!(window.home.warnings.len(), 1);
    window.hears(Message::CloseWarning);
    window.hears(Message::CloseWarning);
    assert!(window.home.warnings.is_empty());
}

/// How far the list of messages is scrolled, and what has the focus.
#[derive(Default)]
struct Look {
    offset: f32,
    focused: Option<iced::widget::Id>,
}

impl iced::advanced::widget::Operation<(f32, Option<iced::widget::Id>)> for Look {
    fn traverse(
        &mut self,
        operate: &mut dyn FnMut(&mut dyn iced::advanced::widget::Operation<(f32, Option<iced::widget::Id>)>),
    ) {
        operate(self);
    }

    fn scrollable(
        &mut self,
        id: Option<&iced::widget::Id>,
        _bounds: iced::Rectangle,
        _content: iced::Rectangle,
        translation: iced::Vector,
        _state: &mut dyn iced::advanced::widget::operation::Scrollable,
    ) {
        if id == Some(&iced::widget::Id::from("history-id-Bob".to_owned())) {
            self.offset = translation.y;
        }
    }

    fn focusable(
        &mut self,
        id: Option<&iced::widget::Id>,
        _bounds: iced::Rectangle,
        state: &mut dyn iced::advanced::widget::operation::Focusable,
    ) {
        if state.is_focused() {
            self.focused = id.cloned();
        }
    }

    fn finish(&self) -> iced::advanced::widget::operation::Outcome<(f32, Option<iced::widget::Id>)> {
        iced::advanced::widget::operation::Outcome::Some((self.offset, self.focused.clone()))
    }
}

#[tokio::test]
async fn what_is_scrolled_and_where_the_focus_is_stays_whatever_the_conversation_has_to_say() {
    let mut window = Window::new(&["Bob"]);
    window.opens("Bob");
    let messages = (0..60).map(|number| message(number, "hello")).collect();
    let opened = conversation::Message::Opened(Ok(Page { messages, ..page() }));
    window.hears(Message::Conversation("id-Bob".into(), opened));
    let mut stage = Stage::<Message>::new(1000.0, 700.0);
    let look = |stage: &mut Stage<Message>, window: &Window| {
        stage.operate(window.home.view(window.world.context()), Look::default()).unwrap()
    };
    let focus = iced::advanced::widget::operation::focusable::focus::<()>(conversation::COMPOSER.into());
    stage.operate(window.home.view(window.world.context()), focus);
    let (end, _) = look(&mut stage, &window);
    stage.play(window.home.view(window.world.context()), [frame(), moved(700.0, 300.0), wheel(3.0)]);
    let said = std::mem::take(&mut stage.messages);
    let is_told = |message: &Message| matches!(message, Message::Conversation(_, conversation::Message::Scrolled(_)));
    assert!(said.iter().any(is_told));
    said.into_iter().for_each(|message| drop(window.hears(message)));
    let (scrolled, _) = look(&mut stage, &window);
    assert!(scrolled < end, "{scrolled} {end}");
    window.hears(Message::Conversation(
        "id-Bob".into(),
        conversation::Message::Done(Err(Problem::new("no_message", "it is gone"))),
    ));
    let after = look(&mut stage, &window);
    assert_eq!(after, (scrolled, Some(conversation::COMPOSER.into())), "a notice came");
    let emoji = conversation::Message::ToggleEmoji(conversation::Target::Composer);
    window.hears(Message::Conversation("id-Bob".into(), emoji));
    assert_eq!(look(&mut stage, &window).1, Some(conversation::COMPOSER.into()), "emoji are offered");
}

#[test]
fn a_window_is_named_after_whose_it_is_and_how_much_waits() {
    let mut window = Window::new(&["Bob"]);
    let title = |window: &Window| window.home.title(&window.world.i18n);
    assert_eq!(title(&window), "(1) Kith", "of an account without a relay and a name");
    window.home.me.as_mut().unwrap().handle = Some("alice@home-0011aabb".into());
    assert_eq!(title(&window), "(1) alice – Kith");
    window.hears(Message::NameKnown(Ok(Some("Alice\n\u{202e}Liddell".into()))));
    assert_eq!(title(&window), "(1) Alice Liddell – Kith");
    window.home.list.load(Vec::new(), Vec::new());
    assert_eq!(title(&window), "Alice Liddell – Kith");
    window.hears(Message::NameKnown(Ok(Some("а".repeat(1_000)))));
    assert_eq!(title(&window).chars().count(), OWNER + "… – Kith".chars().count());
    window.hears(Message::NameKnown(Ok(Some("\u{202e}".into()))));
    assert_eq!(title(&window), "Kith");
}

#[test]
fn another_name_of_ones_own_is_asked_for_when_it_is_told() {
    let mut window = Window::new(&["Bob"]);
    let _ = window.record.asked();
    window.tells(Event::Contact { account: "account-Bob".into() });
    assert!(window.record.asked().iter().all(|request| !matches!(request, Request::Profile { who: None })));
    window.tells(Event::Contact { account: "me".into() });
    assert!(window.record.asked().iter().any(|request| matches!(request, Request::Profile { who: None })));
}
