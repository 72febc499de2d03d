-- The user commands: ask what has to be asked, and have the server do it.
local list = require("bug_lsp.list")
local message = require("bug_lsp.message")
local server = require("bug_lsp.server")
local subject = require("bug_lsp.subject")

local M = {}

---@param items any[]
---@param prompt string
---@param line fun(item: any): string
---@param on_choice fun(item: any)
local function choose(items, prompt, line, on_choice)
  vim.ui.select(items, { prompt = prompt, format_item = line, kind = "bug_lsp" }, function(item)
    if item then
      on_choice(item)
    end
  end)
end

---Ask for agents until the user has enough of them.
---@param agents bugLsp.Agent[]
---@param on_choice fun(names: string[])
local function choose_agents(agents, on_choice)
  local names = {} ---@type string[]
  local function ask()
    local begin = "Start with " .. table.concat(names, ", ")
    local rest = vim.tbl_filter(function(agent)
      return not vim.list_contains(names, agent.agentType)
    end, agents)
    local items = #names > 0 and { begin, unpack(rest) } or rest
    choose(items, "Debug with which agents?", function(item)
      return item == begin and begin or list.agent_line(item)
    end, function(item)
      if item == begin then
        return on_choice(names)
      end
      names[#names + 1] = item.agentType
      ask()
    end)
  end
  ask()
end

---@param argument table
---@param agents string[] as `NAME` or `NAME:MODEL`
local function start(argument, agents)
  if #agents > 0 then
    argument.agents = vim.tbl_map(function(agent)
      local name, model = agent:match("^([^:]+):(.+)$")
      return { agentType = name or agent, model = model }
    end, agents)
  end
  server.run("debugWithAgents", argument, function(run)
    local names = vim.tbl_map(function(session)
      return session.agentType
    end, run.sessions)
    local task = vim.fn.fnamemodify(vim.uri_to_fname(run.taskUri), ":~:.")
    message.notify(("%s: being debugged by %s"):format(task, table.concat(names, ", ")))
  end)
end

---@param args vim.api.keyset.create_user_command.command_args
function M.debug(args)
  subject.get(args, function(argument)
    if not args.bang then
      return start(argument, args.fargs)
    end
    server.run("listAgents", {}, function(found)
      choose_agents(list.installed(found.agents), function(names)
        start(argument, names)
      end)
    end)
  end)
end

---@param on_runs fun(runs: bugLsp.Run[])
local function with_runs(on_runs)
  server.run("listDebugRuns", {}, function(found)
    if #found.runs == 0 then
      return message.notify("there is no run yet; :BugDebug starts one")
    end
    on_runs(found.runs)
  end)
end

function M.runs()
  with_runs(function(runs)
    choose(runs, "Runs", list.run_line, function(run)
      local items = { run, unpack(list.sessions(run)) }
      choose(items, run.title, function(item)
        return item == run and "The task file" or list.session_line(item)
      end, function(item)
        if item == run then
          vim.cmd.edit(vim.fn.fnameescape(vim.uri_to_fname(run.taskUri)))
        else
          server.run("openSession", { sessionId = item.sessionId })
        end
      end)
    end)
  end)
end

function M.orchestrate(args)
  local argument = { debugRunId = args.fargs[1], force = args.bang or nil }
  server.run("orchestrateDebugRun", argument, function(result)
    if not result.isNew then
      message.notify(
        "there is a synthesis, or one is being written; :BugOrchestrate! makes a new one"
      )
    end
  end)
end

function M.cancel(args)
  if args.bang then
    return server.run("cancelDebugRun", { debugRunId = args.fargs[1] })
  elseif args.fargs[1] then
    return server.run("cancelSession", { sessionId = args.fargs[1] })
  end
  with_runs(function(runs)
    local items = {}
    for _, run in ipairs(runs) do
      local going = vim.tbl_filter(list.is_running, list.sessions(run))
      vim.list_extend(items, going)
      if #going > 1 then
        items[#items + 1] = run
      end
    end
    if #items == 0 then
      return message.notify("nothing is running")
    end
    choose(items, "Cancel", function(item)
      return item.sessionId and list.session_line(item) or ("All of '%s'"):format(item.title)
    end, function(item)
      if item.sessionId then
        server.run("cancelSession", { sessionId = item.sessionId })
      else
        server.run("cancelDebugRun", { debugRunId = item.debugRunId })
      end
    end)
  end)
end

function M.apply(args)
  local function apply(session_id, force)
    server.run("applyPatch", { sessionId = session_id, force = force or nil })
  end
  if args.fargs[1] then
    return apply(args.fargs[1], args.bang)
  end
  server.run("getDebugRunReport", {}, function(report)
    if #report.patches == 0 then
      return message.notify(("no session of '%s' has handed in a patch"):format(report.title))
    end
    choose(report.patches, "Apply the patch of", function(patch)
      return ("%s%s (%s)"):format(patch.label, patch.proven and "" or ", not proven", patch.facts)
    end, function(patch)
      apply(patch.sessionId, args.bang or not patch.proven)
    end)
  end)
end

function M.doctor()
  vim.cmd.checkhealth("bug_lsp")
end

return M
