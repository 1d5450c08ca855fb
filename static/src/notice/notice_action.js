import { registry } from "@web/core/registry";

const closers = new WeakMap();

/**
 * One notice at a time about the aliases: the last one says how things are, older ones
 * would contradict it. What the screen below shows in full is only pointed at.
 */
export function noticeAction(env, { params }) {
    const { notification } = env.services;
    closers.get(notification)?.();
    const close = notification.add(params.hint || params.message, {
        type: params.type,
        sticky: params.sticky && !params.hint,
    });
    closers.set(notification, close);
    return params.next;
}

registry.category("actions").add("email_alias_notice", noticeAction);
