"""X's own words, typed, as far as Careline reads them. Nothing here is interpreted; `inbound` and `outbound` translate.

Source: X API v2 OpenAPI 2.167 and x-api/activity/event-payloads (xdevplatform/docs, 2026-08-22). The description says "post" where deliveries
still say "tweet" (`edit_history_post_ids`, `edit_history_tweet_ids`): both are read. Fields Careline does not read are left out.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Link(msgspec.Struct, frozen=True):
    """A shortened address in a text. One with a `media_key`, or to the quoted post, is only how X shows what hangs on the post."""

    url: str
    expanded_url: str = ""
    media_key: str = ""


class Mention(msgspec.Struct, frozen=True):
    start: int = 0
    end: int = 0
    username: str = ""
    id: str = ""


class Entities(msgspec.Struct, frozen=True):
    urls: tuple[Link, ...] = ()
    mentions: tuple[Mention, ...] = ()


class Reference(msgspec.Struct, frozen=True):
    """`type` is replied_to, quoted or retweeted."""

    type: str
    id: str


class Metrics(msgspec.Struct, frozen=True):
    impression_count: int = 0


class Attached(msgspec.Struct, frozen=True):
    media_keys: tuple[str, ...] = ()


class Note(msgspec.Struct, frozen=True):
    """The whole of a post longer than 280."""

    text: str = ""
    entities: Entities = Entities()


class Post(msgspec.Struct, frozen=True):
    id: str
    text: str = ""
    author_id: str = ""
    created_at: datetime | None = None
    conversation_id: str = ""
    in_reply_to_user_id: str = ""
    lang: str = ""
    entities: Entities = Entities()
    display_text_range: tuple[int, ...] = ()
    attachments: Attached = Attached()
    public_metrics: Metrics = Metrics()
    note_tweet: Note | None = None
    note_post: Note | None = None
    referenced_tweets: tuple[Reference, ...] = ()
    referenced_posts: tuple[Reference, ...] = ()
    edit_history_tweet_ids: tuple[str, ...] = ()
    edit_history_post_ids: tuple[str, ...] = ()

    @property
    def versions(self) -> tuple[str, ...]:
        """Ids of all its versions, the first one first."""
        return self.edit_history_post_ids or self.edit_history_tweet_ids or (self.id,)

    def refers_to(self, kind: str) -> str:
        """The post it answers or quotes; empty for none."""
        return next((one.id for one in (*self.referenced_posts, *self.referenced_tweets) if one.type == kind), "")


class User(msgspec.Struct, frozen=True):
    id: str
    username: str = ""
    name: str = ""
    profile_image_url: str = ""
    protected: bool = False


class Wrapped(msgspec.Struct, frozen=True):
    """Some deliveries wrap a user once more."""

    data: User


class Variant(msgspec.Struct, frozen=True):
    url: str = ""
    content_type: str = ""
    bit_rate: int = 0
    bitrate: int = 0


class Media(msgspec.Struct, frozen=True):
    media_key: str
    type: str = "photo"
    url: str = ""
    preview_image_url: str = ""
    alt_text: str = ""
    variants: tuple[Variant, ...] = ()


class Includes(msgspec.Struct, frozen=True):
    """What X sends along so that nothing has to be asked for. Users may be wrapped."""

    users: tuple[msgspec.Raw, ...] = ()
    tweets: tuple[Post, ...] = ()
    posts: tuple[Post, ...] = ()
    media: tuple[Media, ...] = ()


class Filter(msgspec.Struct, frozen=True):
    user_id: str = ""


class Event(msgspec.Struct, frozen=True):
    """What the X Activity API delivers. What Careline fetches itself is kept in the same envelope."""

    event_type: str
    payload: msgspec.Raw
    event_uuid: str = ""
    filter: Filter = Filter()
    includes: Includes = Includes()


class Delivery(msgspec.Struct, frozen=True):
    data: msgspec.Raw


class Gone(msgspec.Struct, frozen=True):
    id: str
    at: datetime | None = None


class Revoked(msgspec.Struct, frozen=True):
    user_id: str
    date_time: datetime


# ---- direct messages as they are delivered (the shapes of the older Account Activity API)


class Video(msgspec.Struct, frozen=True):
    variants: tuple[Variant, ...] = ()


class PrivateMedia(msgspec.Struct, frozen=True):
    media_url_https: str = ""
    type: str = "photo"
    video_info: Video = Video()


class Attachment(msgspec.Struct, frozen=True):
    media: PrivateMedia | None = None


class PrivateWords(msgspec.Struct, frozen=True):
    text: str = ""
    entities: Entities = Entities()
    attachment: Attachment | None = None


class Target(msgspec.Struct, frozen=True):
    recipient_id: str = ""


class MessageCreate(msgspec.Struct, frozen=True):
    sender_id: str
    message_data: PrivateWords
    target: Target = Target()


class PrivateEvent(msgspec.Struct, frozen=True):
    """A message, a sign of reading (`last_read_event_id`) or of typing. Times are milliseconds since 1970."""

    created_timestamp: str = ""
    id: str = ""
    message_create: MessageCreate | None = None
    sender_id: str = ""
    target: Target = Target()
    last_read_event_id: str = ""


class Private(msgspec.Struct, frozen=True):
    direct_message_events: tuple[msgspec.Raw, ...] = ()
    direct_message_mark_read_events: tuple[msgspec.Raw, ...] = ()
    direct_message_indicate_typing_events: tuple[msgspec.Raw, ...] = ()
    users: dict[str, msgspec.Raw] = {}


class DmEvent(msgspec.Struct, frozen=True):
    """A direct message as it is fetched."""

    id: str
    event_type: str = "MessageCreate"
    text: str = ""
    sender_id: str = ""
    dm_conversation_id: str = ""
    created_at: datetime | None = None
    entities: Entities = Entities()
    attachments: Attached = Attached()


# ---- answers


class Meta(msgspec.Struct, frozen=True):
    next_token: str = ""


class Page(msgspec.Struct, frozen=True):
    """A list. Posts that are gone stand in `errors` by their id."""

    data: tuple[msgspec.Raw, ...] = ()
    includes: msgspec.Raw = msgspec.Raw(b"{}")
    meta: Meta = Meta()
    errors: tuple[Trouble, ...] = ()


class Trouble(msgspec.Struct, frozen=True):
    """Why something is missing. `type` is an address of the problem's description."""

    type: str = ""
    resource_id: str = ""
    value: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """`detail` may repeat our words: it is read, never kept."""

    title: str = ""
    detail: str = ""
    reason: str = ""


class Named(msgspec.Struct, frozen=True):
    """Most acts are answered with an id."""

    id: str = ""


class Took(msgspec.Struct, frozen=True):
    """A direct message as X took it."""

    dm_event_id: str


class Processing(msgspec.Struct, frozen=True):
    """`state` is pending, in_progress, succeeded or failed."""

    state: str = "succeeded"
    check_after_secs: int = 1


class Uploaded(msgspec.Struct, frozen=True):
    id: str
    processing_info: Processing | None = None


class Webhook(msgspec.Struct, frozen=True):
    id: str
    url: str = ""
    valid: bool = True


class Subscription(msgspec.Struct, frozen=True):
    event_type: str = ""
    filter: Filter = Filter()
    webhook_id: str = ""


class Tokens(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str = ""
