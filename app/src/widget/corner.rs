//! Something small in the lower right corner of something else, like the time in the corner of a message.
//!
//! Unlike iced's stack it draws both in the same layer: the software renderer makes a mask of the whole window for each layer, and a
//! conversation has as many of these as messages. So it is for words and icons, which are drawn above every ground of their layer.

use iced::advanced::layout::{self, Layout};
use iced::advanced::widget::{Operation, Tree};
use iced::advanced::{Clipboard, Shell, Widget, mouse, overlay, renderer};
use iced::{Event, Length, Rectangle, Renderer, Size, Vector};

use crate::theme::{Element, Theme};

struct Corner<'a, Message> {
    /// What it stands in, and what stands there.
    parts: [Element<'a, Message>; 2],
}

/// Puts `small` into the lower right corner of `content`, which keeps its size.
pub(crate) fn corner<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    small: impl Into<Element<'a, Message>>,
) -> Element<'a, Message> {
    Element::new(Corner { parts: [content.into(), small.into()] })
}

impl<Message> Widget<Message, Theme, Renderer> for Corner<'_, Message> {
    fn children(&self) -> Vec<Tree> {
        self.parts.iter().map(Tree::new).collect()
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(&self.parts);
    }

    fn size(&self) -> Size<Length> {
        let [content, _] = &self.parts;
        content.as_widget().size()
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let ([content, small], [of_content, of_small]) = (&mut self.parts, &mut tree.children[..]) else {
            return layout::Node::default();
        };
        let content = content.as_widget_mut().layout(of_content, renderer, limits);
        let size = content.size();
        let small = small.as_widget_mut().layout(of_small, renderer, &layout::Limits::new(Size::ZERO, size));
        let free = size - small.size();
        let small = small.move_to((free.width.max(0.0), free.height.max(0.0)));
        layout::Node::with_children(size, vec![content, small])
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        operation.traverse(&mut |operation| {
            for ((part, tree), layout) in self.parts.iter_mut().zip(&mut tree.children).zip(layout.children()) {
                part.as_widget_mut().operate(tree, layout, renderer, operation);
            }
        });
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        for ((part, tree), layout) in self.parts.iter_mut().zip(&mut tree.children).zip(layout.children()).rev() {
            part.as_widget_mut().update(tree, event, layout, cursor, renderer, clipboard, shell, viewport);
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        for ((part, tree), layout) in self.parts.iter().zip(&tree.children).zip(layout.children()) {
            part.as_widget().draw(tree, renderer, theme, style, layout, cursor, viewport);
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let parts = self.parts.iter().zip(&tree.children).zip(layout.children());
        parts
            .map(|((part, tree), layout)| part.as_widget().mouse_interaction(tree, layout, cursor, viewport, renderer))
            .max()
            .unwrap_or_default()
    }

    fn overlay<'b>(
        &'b mut self,
        tree: &'b mut Tree,
        layout: Layout<'b>,
        renderer: &Renderer,
        viewport: &Rectangle,
        translation: Vector,
    ) -> Option<overlay::Element<'b, Message, Theme, Renderer>> {
        overlay::from_children(&mut self.parts, tree, layout, renderer, viewport, translation)
    }
}
