-- What can be typed after the commands.
local list = require("bug_lsp.list")
local server = require("bug_lsp.server")

local M = {}

local agents ---@type string[]?

---@param names string[]
---@param lead string
---@return string[]
local function beginning(names, lead)
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, names)
end

---Agents that are installed. Looking for them takes a while, so it is done once.
---@param lead string
function M.agents(lead)
  if not agents then
    local found = server.ask("listAgents", {})
    agents = found
      and vim.tbl_map(function(agent)
        return agent.agentType
      end, list.installed(found.agents))
  end
  return beginning(agents or {}, lead)
end

---@return bugLsp.Run[]
local function runs()
  local found = server.ask("listDebugRuns", {})
  return found and found.runs or {}
end

---@param lead string
function M.runs(lead)
  local ids = vim.tbl_map(function(run)
    return run.debugRunId
  end, runs())
  return beginning(ids, lead)
end

---@param lead string
---@param wanted fun(session: bugLsp.Session): boolean
local function sessions(lead, wanted)
  local ids = {}
  for _, run in ipairs(runs()) do
    for _, session in ipairs(list.sessions(run)) do
      if wanted(session) then
        ids[#ids + 1] = session.sessionId
      end
    end
  end
  return beginning(ids, lead)
end

---@param lead string
function M.running(lead)
  return sessions(lead, list.is_running)
end

---@param lead string
function M.debugged(lead)
  return sessions(lead, function(session)
    return session.kind == "debug" and session.status == "completed"
  end)
end

return M
