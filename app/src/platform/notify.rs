//! The system tells of a new message. Pressed, it leads to the chat.

use kith_core::wire::control::{Chat, ContactRequest, Message};
use notify_rust::{Notification, NotificationResponse, Timeout};

use crate::app::Context;
use crate::format::one_line;
use crate::screen::home::list;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    title: String,
    words: String,
    leads_to: String,
}

impl Notice {
    /// Of a message.
    pub(crate) fn message(message: &Message, chat: Option<&Chat>, context: Context<'_>) -> Self {
        let is_group = chat.is_some_and(|chat| chat.kind == "group");
        let title = chat.map_or(&message.author_name, |chat| &chat.name);
        let words = if context.settings.notification_text {
            list::said(message, is_group, context)
        } else {
            context.i18n.tr("notice-message")
        };
        Self::new(title, words, message.conversation.clone())
    }

    /// Of a contact request. What a stranger writes is not put on the screen.
    pub(crate) fn request(request: &ContactRequest, context: Context<'_>) -> Self {
        let name = request.handle.as_deref().unwrap_or(&request.account);
        Self::new(name, context.i18n.tr("list-request"), request.account.clone())
    }

    fn new(title: &str, words: String, leads_to: String) -> Self {
        Self { title: one_line(title, 60), words, leads_to }
    }

    /// Shows it; when it was pressed, where it leads.
    pub(crate) async fn show(self) -> Option<String> {
        let mut notification = Notification::new();
        notification.appname("Kith").summary(&self.title).body(&self.words).timeout(Timeout::Default);
        match is_pressed(notification).await {
            Ok(pressed) => pressed.then_some(self.leads_to),
            Err(error) => {
                tracing::info!(%error, "The system shows no notifications.");
                None
            }
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
async fn is_pressed(mut notification: Notification) -> Result<bool, notify_rust::error::Error> {
    use notify_rust::Hint;
    // Some desktops read markup in it.
    notification.body = notification.body.replace('&', "&amp;").replace('<', "&lt;");
    notification.icon(super::APPLICATION).action("default", "default");
    notification.hint(Hint::Category("im.received".to_owned()));
    notification.hint(Hint::DesktopEntry(super::APPLICATION.to_owned()));
    // Kith has a sound of its own.
    notification.hint(Hint::SuppressSound(true));
    let mut pressed = false;
    let handle = notification.show_async().await?;
    handle.wait_for_action_async(|action| pressed = matches!(action, NotificationResponse::Default)).await;
    Ok(pressed)
}

/// Here a thread waits with each, perhaps for as long as Kith runs: it is no thread of the runtime, whose end would wait for it. With more
/// than these, one that is pressed leads nowhere.
#[cfg(any(target_os = "macos", target_os = "windows"))]
static WAITING: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(8);

#[cfg(any(target_os = "macos", target_os = "windows"))]
async fn is_pressed(notification: Notification) -> Result<bool, notify_rust::error::Error> {
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let outcome = notification.show().and_then(|handle| {
            let mut pressed = false;
            if let Ok(_turn) = WAITING.try_acquire() {
                let note =
                    |response: &NotificationResponse| pressed = matches!(response, NotificationResponse::Default);
                handle.wait_for_response(note)?;
            }
            Ok(pressed)
        });
        let _ = tell.send(outcome);
    });
    told.await.unwrap_or(Ok(false))
}
