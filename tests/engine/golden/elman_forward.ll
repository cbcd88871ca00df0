; forward pass of elman, vectors of 8 float32
; cell elman
; source Elman 1990, Finding structure in time, Cognitive Science 14
; output h
;
; h' = tanh(W @ x + U @ h + b)
;
; numbers in the table:
;   0: base b
;   1: base entry.h
;   2: mask entry.h
;   3: step entry.h
;   4: base out.h'
;   5: step out.h'
;   6: row hoisted_0
;   7: step hoisted_0
;   8: base hoisted_0
;   9: row stage0_0
;   10: local stage0_0
;   11: row entry.h
;   12: base rows
;   13: row out.h'
;   14: base local
;   15: local size
;   16: first step
;   17: end of steps
;   18: packed
;   19: units hidden
;   20: units input
;   21: base W
;   22: unit step W
;   23: depth step W
;   24: base weights
;   25: weights hoisted_0 0
;   26: base U
;   27: unit step U
;   28: depth step U
;   29: weights stage0_0 0
;   30: base barrier
;   31: base lengths
;   32: chunk
;   33: blocks hidden
;   34: panels at once
;   35: step x
;   36: row x
;   37: base x
;   38: base reset
;   39: row reset
;   40: base start.h
;   41: row start.h
;   42: units at once 0
; ModuleID = "unrolled_forward"
target triple = "x86_64-unknown-linux-gnu"
target datalayout = ""

define internal void @"forward_stage0"(i64* %".1", i64 %".2", i64 %".3", i64 %".4", i64 %".5", i64 %".6", i64 %".7", float* %".8") noinline
{
entry:
  %".15" = getelementptr i64, i64* %".1", i64 0
  %".16" = load i64, i64* %".15"
  %".17" = inttoptr i64 %".16" to float*
  %".21" = getelementptr i64, i64* %".1", i64 1
  %".22" = load i64, i64* %".21"
  %".23" = inttoptr i64 %".22" to float*
  %".25" = getelementptr i64, i64* %".1", i64 2
  %".26" = load i64, i64* %".25"
  %".28" = getelementptr i64, i64* %".1", i64 3
  %".29" = load i64, i64* %".28"
  %".33" = getelementptr i64, i64* %".1", i64 4
  %".34" = load i64, i64* %".33"
  %".35" = inttoptr i64 %".34" to float*
  %".36" = getelementptr i64, i64* %".1", i64 5
  %".37" = load i64, i64* %".36"
  %".46" = getelementptr i64, i64* %".1", i64 6
  %".47" = load i64, i64* %".46"
  %".49" = getelementptr i64, i64* %".1", i64 7
  %".50" = load i64, i64* %".49"
  %".57" = getelementptr i64, i64* %".1", i64 8
  %".58" = load i64, i64* %".57"
  %".59" = inttoptr i64 %".58" to float*
  %".64" = getelementptr i64, i64* %".1", i64 9
  %".65" = load i64, i64* %".64"
  %".71" = getelementptr i64, i64* %".1", i64 10
  %".72" = load i64, i64* %".71"
  %".101" = getelementptr i64, i64* %".1", i64 11
  %".102" = load i64, i64* %".101"
  %".107" = getelementptr i64, i64* %".1", i64 12
  %".108" = load i64, i64* %".107"
  %".109" = inttoptr i64 %".108" to i64*
  %".112" = getelementptr i64, i64* %".1", i64 13
  %".113" = load i64, i64* %".112"
  br label %"begin"
begin:
  br label %"head"
head:
  %".11" = phi  i64 [%".6", %"begin"], [%".120", %"behind.1"]
  %".12" = icmp slt i64 %".11", %".7"
  br i1 %".12", label %"inside", label %"behind"
inside:
  %".14" = mul i64 %".11", 8
  %".18" = getelementptr float, float* %".17", i64 %".14"
  %".19" = bitcast float* %".18" to <8 x float>*
  %".20" = load <8 x float>, <8 x float>* %".19", align 4
  %".24" = add i64 %".2", 1
  %".27" = and i64 %".24", %".26"
  %".30" = mul i64 %".27", %".29"
  %".31" = getelementptr float, float* %".23", i64 %".30"
  %".32" = getelementptr float, float* %".31", i64 %".14"
  %".38" = mul i64 %".2", %".37"
  %".39" = getelementptr float, float* %".35", i64 %".38"
  %".40" = getelementptr float, float* %".39", i64 %".14"
  br label %"head.1"
behind:
  ret void
head.1:
  %".42" = phi  i64 [%".4", %"inside"], [%".118", %"inside.1"]
  %".43" = icmp slt i64 %".42", %".5"
  br i1 %".43", label %"inside.1", label %"behind.1"
inside.1:
  ; _h4 = hoisted._h4 + product._h4 + b
  %".48" = mul i64 %".42", %".47"
  %".51" = mul i64 %".3", %".50"
  %".52" = mul i64 %".11", 1
  %".53" = add i64 %".52", 0
  %".54" = mul i64 %".53", 8
  %".55" = add i64 %".48", %".51"
  %".56" = add i64 %".55", %".54"
  %".60" = getelementptr float, float* %".59", i64 %".56"
  %".61" = bitcast float* %".60" to <8 x float>*
  %".62" = load <8 x float>, <8 x float>* %".61", align 4
  %".63" = sub i64 %".42", %".4"
  %".66" = mul i64 %".63", %".65"
  %".67" = sub i64 %".11", %".6"
  %".68" = mul i64 %".67", 1
  %".69" = add i64 %".68", 0
  %".70" = mul i64 %".69", 8
  %".73" = add i64 %".72", %".66"
  %".74" = add i64 %".73", %".70"
  %".75" = getelementptr float, float* %".8", i64 %".74"
  %".76" = bitcast float* %".75" to <8 x float>*
  %".77" = load <8 x float>, <8 x float>* %".76", align 4
  %".78" = fadd <8 x float> %".62", %".77"
  %".79" = fadd <8 x float> %".78", %".20"
  ; h' = tanh(_h4)
  %".81" = call <8 x float> @"llvm.fabs.v8f32"(<8 x float> %".79")
  %".82" = fcmp olt <8 x float> <float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000>, %".81"
  %".83" = select  <8 x i1> %".82", <8 x float> <float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000, float 0x4022333340000000>, <8 x float> %".81"
  %".84" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".83", <8 x float> <float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000, float 0x4007154760000000>, <8 x float> <float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000>)
  %".85" = fsub <8 x float> %".84", <float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000, float 0x4168000fe0000000>
  %".86" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".85", <8 x float> <float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000, float 0xbfd62e4300000000>, <8 x float> %".83")
  %".87" = fmul <8 x float> %".86", %".86"
  %".88" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> <float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000, float 0x3fa6d11500000000>, <8 x float> %".86", <8 x float> <float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000, float 0x3fc120bb60000000>)
  %".89" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".88", <8 x float> %".86", <8 x float> <float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000, float 0x3fd55551a0000000>)
  %".90" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".89", <8 x float> %".86", <8 x float> <float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000, float 0x3fe5554dc0000000>)
  %".91" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".90", <8 x float> %".86", <8 x float> <float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000>)
  %".92" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".87", <8 x float> %".91", <8 x float> %".86")
  %".93" = bitcast <8 x float> %".84" to <8 x i32>
  %".94" = shl <8 x i32> %".93", <i32 23, i32 23, i32 23, i32 23, i32 23, i32 23, i32 23, i32 23>
  %".95" = bitcast <8 x i32> %".94" to <8 x float>
  %".96" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".95", <8 x float> <float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000, float 0x3fe0000000000000>, <8 x float> <float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000, float 0xbfe0000000000000>)
  %".97" = call <8 x float> @"llvm.fma.v8f32"(<8 x float> %".95", <8 x float> %".92", <8 x float> %".96")
  %".98" = fadd <8 x float> %".97", <float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000, float 0x3ff0000000000000>
  %".99" = fdiv <8 x float> %".97", %".98"
  %".100" = call <8 x float> @"llvm.copysign.v8f32"(<8 x float> %".99", <8 x float> %".79")
  %".103" = mul i64 %".42", %".102"
  %".104" = getelementptr float, float* %".32", i64 %".103"
  %".105" = bitcast float* %".104" to <8 x float>*
  store <8 x float> %".100", <8 x float>* %".105", align 4
  %".110" = getelementptr i64, i64* %".109", i64 %".42"
  %".111" = load i64, i64* %".110"
  %".114" = mul i64 %".111", %".113"
  %".115" = getelementptr float, float* %".40", i64 %".114"
  %".116" = bitcast float* %".115" to <8 x float>*
  store <8 x float> %".100", <8 x float>* %".116", align 4
  %".118" = add i64 %".42", 1
  br label %"head.1"
behind.1:
  %".120" = add i64 %".11", 1
  br label %"head"
}

declare <8 x float> @"llvm.fabs.v8f32"(<8 x float> %".1")

declare <8 x float> @"llvm.fma.v8f32"(<8 x float> %".1", <8 x float> %".2", <8 x float> %".3")

declare <8 x float> @"llvm.copysign.v8f32"(<8 x float> %".1", <8 x float> %".2")

define void @"forward_run"(i64* %".1", i64 %".2", i64 %".3", i64 %".4", i64 %".5", i64 %".6", i64 %".7")
{
entry:
  %".9" = getelementptr i64, i64* %".1", i64 14
  %".10" = load i64, i64* %".9"
  %".11" = inttoptr i64 %".10" to float*
  %".12" = getelementptr i64, i64* %".1", i64 15
  %".13" = load i64, i64* %".12"
  %".16" = getelementptr i64, i64* %".1", i64 16
  %".17" = load i64, i64* %".16"
  %".18" = getelementptr i64, i64* %".1", i64 17
  %".19" = load i64, i64* %".18"
  %".20" = getelementptr i64, i64* %".1", i64 18
  %".21" = load i64, i64* %".20"
  %".27" = getelementptr i64, i64* %".1", i64 19
  %".28" = load i64, i64* %".27"
  %".29" = getelementptr i64, i64* %".1", i64 20
  %".30" = load i64, i64* %".29"
  %".31" = getelementptr i64, i64* %".1", i64 21
  %".32" = load i64, i64* %".31"
  %".33" = inttoptr i64 %".32" to float*
  %".34" = getelementptr i64, i64* %".1", i64 22
  %".35" = load i64, i64* %".34"
  %".36" = getelementptr i64, i64* %".1", i64 23
  %".37" = load i64, i64* %".36"
  %".38" = getelementptr i64, i64* %".1", i64 24
  %".39" = load i64, i64* %".38"
  %".40" = inttoptr i64 %".39" to float*
  %".41" = getelementptr i64, i64* %".1", i64 25
  %".42" = load i64, i64* %".41"
  %".49" = getelementptr i64, i64* %".1", i64 26
  %".50" = load i64, i64* %".49"
  %".51" = inttoptr i64 %".50" to float*
  %".52" = getelementptr i64, i64* %".1", i64 27
  %".53" = load i64, i64* %".52"
  %".54" = getelementptr i64, i64* %".1", i64 28
  %".55" = load i64, i64* %".54"
  %".56" = getelementptr i64, i64* %".1", i64 29
  %".57" = load i64, i64* %".56"
  %".62" = getelementptr i64, i64* %".1", i64 30
  %".63" = load i64, i64* %".62"
  %".64" = inttoptr i64 %".63" to i64*
  %".87" = getelementptr i64, i64* %".1", i64 31
  %".88" = load i64, i64* %".87"
  %".89" = inttoptr i64 %".88" to i64*
  %".94" = getelementptr i64, i64* %".1", i64 32
  %".95" = load i64, i64* %".94"
  %".103" = getelementptr i64, i64* %".1", i64 33
  %".104" = load i64, i64* %".103"
  %".106" = getelementptr i64, i64* %".1", i64 34
  %".107" = load i64, i64* %".106"
  %".134" = getelementptr i64, i64* %".1", i64 12
  %".135" = load i64, i64* %".134"
  %".136" = inttoptr i64 %".135" to i64*
  %".139" = getelementptr i64, i64* %".1", i64 8
  %".140" = load i64, i64* %".139"
  %".141" = inttoptr i64 %".140" to float*
  %".142" = getelementptr i64, i64* %".1", i64 6
  %".143" = load i64, i64* %".142"
  %".148" = getelementptr i64, i64* %".1", i64 35
  %".149" = load i64, i64* %".148"
  %".150" = getelementptr i64, i64* %".1", i64 36
  %".151" = load i64, i64* %".150"
  %".155" = getelementptr i64, i64* %".1", i64 37
  %".156" = load i64, i64* %".155"
  %".157" = inttoptr i64 %".156" to float*
  %".160" = getelementptr i64, i64* %".1", i64 7
  %".161" = load i64, i64* %".160"
  %".207" = getelementptr i64, i64* %".1", i64 38
  %".208" = load i64, i64* %".207"
  %".220" = getelementptr i64, i64* %".1", i64 39
  %".221" = load i64, i64* %".220"
  %".228" = getelementptr i64, i64* %".1", i64 2
  %".229" = load i64, i64* %".228"
  %".231" = getelementptr i64, i64* %".1", i64 3
  %".232" = load i64, i64* %".231"
  %".234" = getelementptr i64, i64* %".1", i64 1
  %".235" = load i64, i64* %".234"
  %".236" = inttoptr i64 %".235" to float*
  %".237" = getelementptr i64, i64* %".1", i64 11
  %".238" = load i64, i64* %".237"
  %".242" = getelementptr i64, i64* %".1", i64 40
  %".243" = load i64, i64* %".242"
  %".244" = inttoptr i64 %".243" to float*
  %".245" = getelementptr i64, i64* %".1", i64 41
  %".246" = load i64, i64* %".245"
  %".293" = getelementptr i64, i64* %".1", i64 42
  %".294" = load i64, i64* %".293"
  %".308" = getelementptr i64, i64* %".1", i64 10
  %".309" = load i64, i64* %".308"
  %".311" = getelementptr i64, i64* %".1", i64 9
  %".312" = load i64, i64* %".311"
  br label %"begin"
begin:
  %".14" = mul i64 %".2", %".13"
  %".15" = getelementptr float, float* %".11", i64 %".14"
  %".22" = icmp eq i64 %".21", 0
  br i1 %".22", label %"begin.if", label %"begin.endif"
begin.if:
  %".24" = srem i64 0, %".3"
  %".25" = icmp eq i64 %".24", %".2"
  br i1 %".25", label %"begin.if.if", label %"begin.if.endif"
begin.endif:
  %".65" = icmp sgt i64 %".3", 1
  br i1 %".65", label %"begin.endif.if", label %"begin.endif.endif"
begin.if.if:
  %".43" = getelementptr float, float* %".40", i64 %".42"
  call void @"unrolled_pack_float32_8"(i64 %".28", i64 %".30", float* %".33", i64 %".35", i64 %".37", float* %".43", i64 1, i64 0, float 0x3ff0000000000000)
  br label %"begin.if.endif"
begin.if.endif:
  %".46" = srem i64 1, %".3"
  %".47" = icmp eq i64 %".46", %".2"
  br i1 %".47", label %"begin.if.endif.if", label %"begin.if.endif.endif"
begin.if.endif.if:
  %".58" = getelementptr float, float* %".40", i64 %".57"
  call void @"unrolled_pack_float32_8"(i64 %".28", i64 %".28", float* %".51", i64 %".53", i64 %".55", float* %".58", i64 1, i64 0, float 0x3ff0000000000000)
  br label %"begin.if.endif.endif"
begin.if.endif.endif:
  br label %"begin.endif"
begin.endif.if:
  %".67" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".68" = sdiv i64 %".67", %".3"
  %".69" = add i64 %".68", 1
  %".70" = mul i64 %".69", %".3"
  br label %"look"
begin.endif.endif:
  %".85" = icmp slt i64 %".4", %".5"
  br i1 %".85", label %"begin.endif.endif.if", label %"begin.endif.endif.endif"
look:
  %".72" = phi  i64 [0, %"begin.endif.if"], [%".77", %"again.endif"]
  %".73" = load atomic i64, i64* %".64" acquire, align 8
  %".74" = icmp sge i64 %".73", %".70"
  br i1 %".74", label %"met", label %"again"
again:
  call void @"llvm.x86.sse2.pause"()
  %".77" = add i64 %".72", 1
  %".78" = and i64 %".77", 1023
  %".79" = icmp eq i64 %".78", 0
  br i1 %".79", label %"again.if", label %"again.endif"
met:
  br label %"begin.endif.endif"
again.if:
  %".81" = call i32 @"sched_yield"()
  br label %"again.endif"
again.endif:
  br label %"look"
begin.endif.endif.if:
  %".90" = getelementptr i64, i64* %".89", i64 %".4"
  %".91" = load i64, i64* %".90"
  %".92" = icmp slt i64 %".19", %".91"
  %".93" = select  i1 %".92", i64 %".19", i64 %".91"
  br label %"head"
begin.endif.endif.endif:
  ret void
head:
  %".97" = phi  i64 [%".17", %"begin.endif.endif.if"], [%".349", %"behind.3"]
  %".98" = icmp slt i64 %".97", %".93"
  br i1 %".98", label %"inside", label %"behind"
inside:
  %".100" = add i64 %".97", %".95"
  %".101" = icmp slt i64 %".100", %".93"
  %".102" = select  i1 %".101", i64 %".100", i64 %".93"
  %".105" = mul i64 %".104", 1
  %".108" = ashr i64 %".105", 1
  %".109" = add i64 %".6", 1
  %".110" = mul i64 %".108", %".6"
  %".111" = sdiv i64 %".110", %".7"
  %".112" = shl i64 %".111", 1
  %".113" = mul i64 %".108", %".109"
  %".114" = sdiv i64 %".113", %".7"
  %".115" = shl i64 %".114", 1
  %".116" = ashr i64 %".112", 1
  %".117" = ashr i64 %".115", 1
  br label %"head.1"
behind:
  br label %"begin.endif.endif.endif"
head.1:
  %".119" = phi  i64 [%".116", %"inside"], [%".169", %"behind.2"]
  %".120" = icmp slt i64 %".119", %".117"
  br i1 %".120", label %"inside.1", label %"behind.1"
inside.1:
  %".122" = add i64 %".119", %".107"
  %".123" = icmp slt i64 %".122", %".117"
  %".124" = select  i1 %".123", i64 %".122", i64 %".117"
  %".125" = sub i64 %".124", %".119"
  br label %"head.2"
behind.1:
  %".171" = icmp sgt i64 %".7", 1
  br i1 %".171", label %"behind.1.if", label %"behind.1.endif"
head.2:
  %".127" = phi  i64 [%".4", %"inside.1"], [%".167", %"inside.2"]
  %".128" = icmp slt i64 %".127", %".5"
  br i1 %".128", label %"inside.2", label %"behind.2"
inside.2:
  %".130" = getelementptr i64, i64* %".89", i64 %".127"
  %".131" = load i64, i64* %".130"
  %".132" = icmp slt i64 %".102", %".131"
  %".133" = select  i1 %".132", i64 %".102", i64 %".131"
  %".137" = getelementptr i64, i64* %".136", i64 %".127"
  %".138" = load i64, i64* %".137"
  %".144" = mul i64 %".127", %".143"
  %".145" = getelementptr float, float* %".141", i64 %".144"
  %".146" = mul i64 %".119", 16
  %".147" = getelementptr float, float* %".145", i64 %".146"
  %".152" = mul i64 %".138", %".151"
  %".153" = mul i64 %".97", %".149"
  %".154" = add i64 %".152", %".153"
  %".158" = getelementptr float, float* %".157", i64 %".154"
  %".159" = sub i64 %".133", %".97"
  %".162" = getelementptr float, float* %".40", i64 %".42"
  %".163" = mul i64 %".119", %".30"
  %".164" = mul i64 %".163", 16
  %".165" = getelementptr float, float* %".162", i64 %".164"
  call void @"unrolled_product_float32_8"(i64 %".159", i64 %".30", float* %".158", i64 %".149", float* %".165", i64 %".125", float* %".147", i64 %".161", i64 0)
  %".167" = add i64 %".127", 1
  br label %"head.2"
behind.2:
  %".169" = add i64 %".119", %".107"
  br label %"head.1"
behind.1.if:
  %".173" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".174" = sdiv i64 %".173", %".7"
  %".175" = add i64 %".174", 1
  %".176" = mul i64 %".175", %".7"
  br label %"look.1"
behind.1.endif:
  br label %"head.3"
look.1:
  %".178" = phi  i64 [0, %"behind.1.if"], [%".183", %"again.1.endif"]
  %".179" = load atomic i64, i64* %".64" acquire, align 8
  %".180" = icmp sge i64 %".179", %".176"
  br i1 %".180", label %"met.1", label %"again.1"
again.1:
  call void @"llvm.x86.sse2.pause"()
  %".183" = add i64 %".178", 1
  %".184" = and i64 %".183", 1023
  %".185" = icmp eq i64 %".184", 0
  br i1 %".185", label %"again.1.if", label %"again.1.endif"
met.1:
  br label %"behind.1.endif"
again.1.if:
  %".187" = call i32 @"sched_yield"()
  br label %"again.1.endif"
again.1.endif:
  br label %"look.1"
head.3:
  %".192" = phi  i64 [%".97", %"behind.1.endif"], [%".347", %"behind.7.endif"]
  %".193" = icmp slt i64 %".192", %".102"
  br i1 %".193", label %"inside.3", label %"behind.3"
inside.3:
  br label %"head.4"
behind.3:
  %".349" = add i64 %".97", %".95"
  br label %"head"
head.4:
  %".196" = phi  i64 [%".4", %"inside.3"], [%".205", %"inside.4"]
  %".197" = phi  i64 [%".4", %"inside.3"], [%".204", %"inside.4"]
  %".198" = icmp slt i64 %".196", %".5"
  br i1 %".198", label %"inside.4", label %"behind.4"
inside.4:
  %".200" = getelementptr i64, i64* %".89", i64 %".196"
  %".201" = load i64, i64* %".200"
  %".202" = icmp sgt i64 %".201", %".192"
  %".203" = zext i1 %".202" to i64
  %".204" = add i64 %".197", %".203"
  %".205" = add i64 %".196", 1
  br label %"head.4"
behind.4:
  %".209" = icmp ne i64 %".208", 0
  br i1 %".209", label %"behind.4.if", label %"behind.4.endif"
behind.4.if:
  %".211" = inttoptr i64 %".208" to i8*
  %".212" = icmp eq i64 %".6", 0
  br i1 %".212", label %"behind.4.if.if", label %"behind.4.if.endif"
behind.4.endif:
  %".284" = sub i64 %".192", %".97"
  %".285" = ashr i64 %".104", 1
  %".286" = add i64 %".6", 1
  %".287" = mul i64 %".285", %".6"
  %".288" = sdiv i64 %".287", %".7"
  %".289" = shl i64 %".288", 1
  %".290" = mul i64 %".285", %".286"
  %".291" = sdiv i64 %".290", %".7"
  %".292" = shl i64 %".291", 1
  br label %"head.7"
behind.4.if.if:
  br label %"head.5"
behind.4.if.endif:
  %".263" = icmp sgt i64 %".7", 1
  br i1 %".263", label %"behind.4.if.endif.if", label %"behind.4.if.endif.endif"
head.5:
  %".215" = phi  i64 [%".4", %"behind.4.if.if"], [%".260", %"inside.5.endif"]
  %".216" = icmp slt i64 %".215", %".197"
  br i1 %".216", label %"inside.5", label %"behind.5"
inside.5:
  %".218" = getelementptr i64, i64* %".136", i64 %".215"
  %".219" = load i64, i64* %".218"
  %".222" = mul i64 %".219", %".221"
  %".223" = add i64 %".222", %".192"
  %".224" = getelementptr i8, i8* %".211", i64 %".223"
  %".225" = load i8, i8* %".224"
  %".226" = icmp ne i8 %".225", 0
  br i1 %".226", label %"inside.5.if", label %"inside.5.endif"
behind.5:
  br label %"behind.4.if.endif"
inside.5.if:
  %".230" = and i64 %".192", %".229"
  %".233" = mul i64 %".230", %".232"
  %".239" = mul i64 %".215", %".238"
  %".240" = add i64 %".233", %".239"
  %".241" = getelementptr float, float* %".236", i64 %".240"
  %".247" = mul i64 %".219", %".246"
  %".248" = getelementptr float, float* %".244", i64 %".247"
  br label %"head.6"
inside.5.endif:
  %".260" = add i64 %".215", 1
  br label %"head.5"
head.6:
  %".250" = phi  i64 [0, %"inside.5.if"], [%".257", %"inside.6"]
  %".251" = icmp slt i64 %".250", %".28"
  br i1 %".251", label %"inside.6", label %"behind.6"
inside.6:
  %".253" = getelementptr float, float* %".241", i64 %".250"
  %".254" = getelementptr float, float* %".248", i64 %".250"
  %".255" = load float, float* %".254"
  store float %".255", float* %".253"
  %".257" = add i64 %".250", 1
  br label %"head.6"
behind.6:
  br label %"inside.5.endif"
behind.4.if.endif.if:
  %".265" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".266" = sdiv i64 %".265", %".7"
  %".267" = add i64 %".266", 1
  %".268" = mul i64 %".267", %".7"
  br label %"look.2"
behind.4.if.endif.endif:
  br label %"behind.4.endif"
look.2:
  %".270" = phi  i64 [0, %"behind.4.if.endif.if"], [%".275", %"again.2.endif"]
  %".271" = load atomic i64, i64* %".64" acquire, align 8
  %".272" = icmp sge i64 %".271", %".268"
  br i1 %".272", label %"met.2", label %"again.2"
again.2:
  call void @"llvm.x86.sse2.pause"()
  %".275" = add i64 %".270", 1
  %".276" = and i64 %".275", 1023
  %".277" = icmp eq i64 %".276", 0
  br i1 %".277", label %"again.2.if", label %"again.2.endif"
met.2:
  br label %"behind.4.if.endif.endif"
again.2.if:
  %".279" = call i32 @"sched_yield"()
  br label %"again.2.endif"
again.2.endif:
  br label %"look.2"
head.7:
  %".296" = phi  i64 [%".289", %"behind.4.endif"], [%".325", %"inside.7"]
  %".297" = icmp slt i64 %".296", %".292"
  br i1 %".297", label %"inside.7", label %"behind.7"
inside.7:
  %".299" = add i64 %".296", %".294"
  %".300" = icmp slt i64 %".299", %".292"
  %".301" = select  i1 %".300", i64 %".299", i64 %".292"
  %".302" = sub i64 %".301", %".296"
  %".303" = mul i64 %".302", 1
  %".304" = add i64 %".303", 1
  %".305" = sdiv i64 %".304", 2
  %".306" = mul i64 %".296", 1
  %".307" = sdiv i64 %".306", 2
  %".310" = getelementptr float, float* %".15", i64 %".309"
  %".313" = and i64 %".192", %".229"
  %".314" = mul i64 %".313", %".232"
  %".315" = getelementptr float, float* %".236", i64 %".314"
  %".316" = mul i64 %".4", %".238"
  %".317" = getelementptr float, float* %".315", i64 %".316"
  %".318" = sub i64 %".197", %".4"
  %".319" = getelementptr float, float* %".40", i64 %".57"
  %".320" = mul i64 %".307", %".28"
  %".321" = mul i64 %".320", 16
  %".322" = getelementptr float, float* %".319", i64 %".321"
  call void @"unrolled_product_float32_8"(i64 %".318", i64 %".28", float* %".317", i64 %".238", float* %".322", i64 %".305", float* %".310", i64 %".312", i64 0)
  call void @"forward_stage0"(i64* %".1", i64 %".192", i64 %".284", i64 %".4", i64 %".197", i64 %".296", i64 %".301", float* %".15")
  %".325" = add i64 %".296", %".294"
  br label %"head.7"
behind.7:
  %".327" = icmp sgt i64 %".7", 1
  br i1 %".327", label %"behind.7.if", label %"behind.7.endif"
behind.7.if:
  %".329" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".330" = sdiv i64 %".329", %".7"
  %".331" = add i64 %".330", 1
  %".332" = mul i64 %".331", %".7"
  br label %"look.3"
behind.7.endif:
  %".347" = add i64 %".192", 1
  br label %"head.3"
look.3:
  %".334" = phi  i64 [0, %"behind.7.if"], [%".339", %"again.3.endif"]
  %".335" = load atomic i64, i64* %".64" acquire, align 8
  %".336" = icmp sge i64 %".335", %".332"
  br i1 %".336", label %"met.3", label %"again.3"
again.3:
  call void @"llvm.x86.sse2.pause"()
  %".339" = add i64 %".334", 1
  %".340" = and i64 %".339", 1023
  %".341" = icmp eq i64 %".340", 0
  br i1 %".341", label %"again.3.if", label %"again.3.endif"
met.3:
  br label %"behind.7.endif"
again.3.if:
  %".343" = call i32 @"sched_yield"()
  br label %"again.3.endif"
again.3.endif:
  br label %"look.3"
}

declare void @"unrolled_pack_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", i64 %".5", float* %".6", i64 %".7", i64 %".8", float %".9")

declare void @"llvm.x86.sse2.pause"()

declare i32 @"sched_yield"()

declare void @"unrolled_product_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", float* %".5", i64 %".6", float* %".7", i64 %".8", i64 %".9")
