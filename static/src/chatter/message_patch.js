import { Message } from "@mail/core/common/message";
import { EmailAliasOutcome } from "@user_email_alias/chatter/alias_outcome";

Object.assign(Message.components, { EmailAliasOutcome });
