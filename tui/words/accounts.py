"""Words of the forms of an upstream: adding an account, changing it, its credentials, deleting it."""

from __future__ import annotations

from tui.words.section import Act, Label, Section


class AccountsWords(Section, frozen=True, kw_only=True):
    add: Act
    edit: Act
    credential: Act
    delete: Act

    add_title: str
    edit_title: str
    credential_title: str

    provider: Label
    provider_hint: str
    other_server: str
    ollama: str
    name: Label
    name_hint: str
    base_url: Label
    base_url_hint: str
    base_url_public: str
    base_url_own: str
    base_url_needed: str
    api_key: Label
    api_key_hint: str
    api_key_none: str
    api_key_needed: str
    models: Label
    models_hint: str
    aliases: Label
    priority: Label
    priority_hint: str
    weight: Label
    weight_hint: str
    parallel: Label
    parallel_hint: str
    first_byte: Label
    first_byte_hint: str
    number: str

    which: Label
    which_hint: str
    replace: str
    another: str
    turn_off: str
    turn_on: str
    remove: str

    found: str
    not_found: str
    kept: str
    saved: str
    changed: str
    deleted: str
    delete_title: str
    delete_effect: str
    delete_groups: str
    delete_running: str
    delete_records: str


EN = AccountsWords(
    add="Add",
    edit="Edit",
    credential="Credential",
    delete="Delete",
    add_title="Add an upstream",
    edit_title="Upstream {name}",
    credential_title="Credentials of {name}",
    provider="Provider",
    provider_hint="← → or its first letter.",
    other_server="another server (OpenAI's protocol)",
    ollama="Ollama on this machine",
    name="Name",
    name_hint="As you will see it everywhere.",
    base_url="Base URL",
    base_url_hint="Empty: {url}",
    base_url_public="Empty: the provider's public endpoint.",
    base_url_own="The server's address; /v1 is added where it is missing.",
    base_url_needed="This provider's address is not known: type its base URL.",
    api_key="Key",
    api_key_hint="Your key at the provider. It is not shown, and nobody can read it again.",
    api_key_none="This one needs no key; type one if yours does.",
    api_key_needed="Without a key of yours the provider answers nobody.",
    models="Models",
    models_hint="Names or patterns that it serves. Empty: what a probe finds.",
    aliases="Aliases",
    priority="Priority",
    priority_hint="Lower is tried first.",
    weight="Weight",
    weight_hint="Its share among those of the same priority.",
    parallel="At a time",
    parallel_hint="Requests at a time. Empty: no limit.",
    first_byte="First byte, s",
    first_byte_hint="How long it may take until an answer begins.",
    number="A number is needed here.",
    which="What",
    which_hint="← → chooses what is done.",
    replace="replace {label}",
    another="add another",
    turn_off="turn {label} off",
    turn_on="turn {label} on",
    remove="remove {label}",
    found="{name} answers: {models} models found.",
    not_found="It is added, but does not answer: {reason} Correct it and try again, or leave it so with esc.",
    kept="{name} is added. p on its line asks it again.",
    saved="Upstream {name} is saved.",
    changed="Credentials of {name}: {labels}.",
    deleted="Upstream {name} is deleted.",
    delete_title="Delete upstream {name}",
    delete_effect="No request goes there any more, and its credentials are gone: nobody can read them again.",
    delete_groups="Groups that name it: {names}.",
    delete_running="{count} requests in flight are answered to their end.",
    delete_records="Usage records keep its name. d drains it instead, and takes nothing away.",
)
ZH = AccountsWords(
    add="添加",
    edit="编辑",
    credential="凭据",
    delete="删除",
    add_title="添加上游",
    edit_title="上游 {name}",
    credential_title="{name} 的凭据",
    provider="服务商",
    provider_hint="← → 或首字母选择。",
    other_server="其他服务器 (OpenAI 协议)",
    ollama="本机的 Ollama",
    name="名称",
    name_hint="在各处显示的名称。",
    base_url="Base URL",
    base_url_hint="留空: {url}",
    base_url_public="留空: 服务商的公开地址。",
    base_url_own="服务器地址; 缺少 /v1 时会自动补上。",
    base_url_needed="不知道此服务商的地址: 请输入 Base URL。",
    api_key="密钥",
    api_key_hint="你在服务商处的密钥。不会显示, 也无法再次读取。",
    api_key_none="不需要密钥; 如果你的需要, 请输入。",
    api_key_needed="没有你的密钥, 服务商不会回答。",
    models="模型",
    models_hint="它提供的模型名称或通配符。留空: 以探测结果为准。",
    aliases="别名",
    priority="优先级",
    priority_hint="数字小的先尝试。",
    weight="权重",
    weight_hint="相同优先级之间的份额。",
    parallel="同时请求",
    parallel_hint="同时处理的请求数。留空: 不限。",
    first_byte="首字时限, 秒",
    first_byte_hint="多久之内必须开始回答。",
    number="这里需要数字。",
    which="操作",
    which_hint="← → 选择要做什么。",
    replace="替换 {label}",
    another="再添加一个",
    turn_off="停用 {label}",
    turn_on="启用 {label}",
    remove="移除 {label}",
    found="{name} 有回答: 发现 {models} 个模型。",
    not_found="已添加, 但没有回答: {reason} 请更正后重试, 或按 esc 保持现状。",
    kept="{name} 已添加。在它的行上按 p 可再次探测。",
    saved="上游 {name} 已保存。",
    changed="{name} 的凭据: {labels}。",
    deleted="上游 {name} 已删除。",
    delete_title="删除上游 {name}",
    delete_effect="不再有请求发往那里, 它的凭据也会消失: 无法再次读取。",
    delete_groups="使用它的分组: {names}。",
    delete_running="{count} 个进行中的请求会继续完成。",
    delete_records="用量记录保留它的名称。按 d 可以只排空, 不会丢失任何东西。",
)
