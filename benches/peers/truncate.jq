# Leaves out events that ended in an exception, and cuts the texts of the others to one budget of characters: names of
# exceptions, then their messages, then logs. `left` is what is left of it, null once something was cut.
#
# To read lines as strings (`-R`) and look at their length first would be little faster, and jq 1.6 damages characters
# that lie across two of its reads then.

def text: if type == "string" then . else tojson end;
def marker($texts): "<<<Logpush: \($texts) truncated>>>";

# How many characters an event has.
def size:
  reduce ((.Exceptions | arrays | .[] | objects | .Name, .Message | strings),
          (.Logs | arrays | .[] | objects | select(has("Message")) | .Message
            | if type == "array" then .[] else . end | text))
    as $text (0; . + ($text | length));

# Puts what can be kept of a value in `kept`; `ended` tells that it was cut.
def charge($value; $texts):
  ($value | text) as $text
  | if .left == null then .kept = marker($texts) | .ended = true
    elif ($text | length) <= .left then .kept = $value | .left -= ($text | length)
    else .kept = $text[:.left] + marker($texts) | .left = null | .ended = true end;

# Puts what can be kept of a list in `list`: all up to the first element that `step` cuts.
def up_to_cut($list; step):
  reduce $list[] as $element (.list = [] | .ended = false;
    if .ended then . else .kept = $element | step | .list += [.kept] end);

def spend($field; $texts):
  up_to_cut(.exceptions;
    .kept as $exception
    | if ($exception | type) == "object" and ($exception[$field] | type) == "string"
      then charge($exception[$field]; $texts) | .kept as $text | .kept = ($exception | .[$field] = $text)
      else . end)
  | .exceptions = .list;

def spend_on_message($message):
  if ($message | type) != "array" then charge($message; "messages")
  elif .left == null then .kept = [marker("messages")] | .ended = true
  else .list as $logs
    | up_to_cut($message; charge(.kept; "messages"))
    | .kept = .list | .list = $logs end;

def spend_on_logs:
  up_to_cut(.logs;
    .kept as $log
    | if ($log | type) == "object" and ($log | has("Message"))
      then spend_on_message($log.Message) | .kept as $message | .kept = ($log | .Message = $message)
      else . end)
  | .logs = .list;

def truncate($limit):
  if size <= $limit then .
  else
    ({left: $limit, exceptions: (.Exceptions | arrays // []), logs: (.Logs | arrays // [])}
      | spend("Name"; "exception names") | spend("Message"; "exception messages") | spend_on_logs) as $spent
    | if .Exceptions | type == "array" then .Exceptions = $spent.exceptions else . end
    | if .Logs | type == "array" then .Logs = $spent.logs else . end
  end;

select(.Outcome != "exception") | truncate(16384)
