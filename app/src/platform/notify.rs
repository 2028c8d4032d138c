//! The system tells of a new message. Pressed, it leads to the chat.

use kith_core::wire::control::{Chat, ContactRequest, Message};
use notify_rust::{Hint, Notification, NotificationResponse, Timeout};

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
        notification
            .appname("Kith")
            .summary(&self.title)
            // Some systems read markup in it.
            .body(&self.words.replace('&', "&amp;").replace('<', "&lt;"))
            .icon(super::APPLICATION)
            .action("default", "default")
            .timeout(Timeout::Default);
        #[cfg(all(unix, not(target_os = "macos")))]
        {
            notification.hint(Hint::Category("im.received".to_owned()));
            notification.hint(Hint::DesktopEntry(super::APPLICATION.to_owned()));
            // Kith has a sound of its own.
            notification.hint(Hint::SuppressSound(true));
        }
        match notification.show_async().await {
            Ok(handle) => pressed(handle).await.then_some(self.leads_to),
            Err(error) => {
                tracing::info!(%error, "The system shows no notifications.");
                None
            }
        }
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
async fn pressed(handle: notify_rust::NotificationHandle) -> bool {
    let mut pressed = false;
    handle.wait_for_action_async(|action| pressed = matches!(action, NotificationResponse::Default)).await;
    pressed
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
async fn pressed(_handle: notify_rust::NotificationHandle) -> bool {
    false
}
