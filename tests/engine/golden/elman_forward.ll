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
  %".86" = getelementptr i64, i64* %".1", i64 31
  %".87" = load i64, i64* %".86"
  %".88" = inttoptr i64 %".87" to i64*
  %".95" = getelementptr i64, i64* %".1", i64 32
  %".96" = load i64, i64* %".95"
  %".104" = getelementptr i64, i64* %".1", i64 33
  %".105" = load i64, i64* %".104"
  %".107" = getelementptr i64, i64* %".1", i64 34
  %".108" = load i64, i64* %".107"
  %".135" = getelementptr i64, i64* %".1", i64 12
  %".136" = load i64, i64* %".135"
  %".137" = inttoptr i64 %".136" to i64*
  %".140" = getelementptr i64, i64* %".1", i64 8
  %".141" = load i64, i64* %".140"
  %".142" = inttoptr i64 %".141" to float*
  %".143" = getelementptr i64, i64* %".1", i64 6
  %".144" = load i64, i64* %".143"
  %".149" = getelementptr i64, i64* %".1", i64 35
  %".150" = load i64, i64* %".149"
  %".151" = getelementptr i64, i64* %".1", i64 36
  %".152" = load i64, i64* %".151"
  %".156" = getelementptr i64, i64* %".1", i64 37
  %".157" = load i64, i64* %".156"
  %".158" = inttoptr i64 %".157" to float*
  %".161" = getelementptr i64, i64* %".1", i64 7
  %".162" = load i64, i64* %".161"
  %".208" = getelementptr i64, i64* %".1", i64 38
  %".209" = load i64, i64* %".208"
  %".221" = getelementptr i64, i64* %".1", i64 39
  %".222" = load i64, i64* %".221"
  %".229" = getelementptr i64, i64* %".1", i64 2
  %".230" = load i64, i64* %".229"
  %".232" = getelementptr i64, i64* %".1", i64 3
  %".233" = load i64, i64* %".232"
  %".235" = getelementptr i64, i64* %".1", i64 1
  %".236" = load i64, i64* %".235"
  %".237" = inttoptr i64 %".236" to float*
  %".238" = getelementptr i64, i64* %".1", i64 11
  %".239" = load i64, i64* %".238"
  %".243" = getelementptr i64, i64* %".1", i64 40
  %".244" = load i64, i64* %".243"
  %".245" = inttoptr i64 %".244" to float*
  %".246" = getelementptr i64, i64* %".1", i64 41
  %".247" = load i64, i64* %".246"
  %".294" = getelementptr i64, i64* %".1", i64 42
  %".295" = load i64, i64* %".294"
  %".309" = getelementptr i64, i64* %".1", i64 10
  %".310" = load i64, i64* %".309"
  %".312" = getelementptr i64, i64* %".1", i64 9
  %".313" = load i64, i64* %".312"
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
  %".89" = select  i1 %".85", i64 %".4", i64 0
  %".90" = getelementptr i64, i64* %".88", i64 %".89"
  %".91" = load i64, i64* %".90"
  %".92" = select  i1 %".85", i64 %".91", i64 0
  %".93" = icmp slt i64 %".19", %".92"
  %".94" = select  i1 %".93", i64 %".19", i64 %".92"
  br label %"head"
look:
  %".72" = phi  i64 [0, %"begin.endif.if"], [%".77", %"again.endif"]
  %".73" = load atomic i64, i64* %".64" acquire, align 8
  %".74" = icmp sge i64 %".73", %".70"
  br i1 %".74", label %"met", label %"again"
again:
  call void @"llvm.x86.sse2.pause"()
  %".77" = add i64 %".72", 1
  %".78" = and i64 %".77", 32767
  %".79" = icmp eq i64 %".78", 0
  br i1 %".79", label %"again.if", label %"again.endif"
met:
  br label %"begin.endif.endif"
again.if:
  %".81" = call i32 @"sched_yield"()
  br label %"again.endif"
again.endif:
  br label %"look"
head:
  %".98" = phi  i64 [%".17", %"begin.endif.endif"], [%".350", %"behind.3"]
  %".99" = icmp slt i64 %".98", %".94"
  br i1 %".99", label %"inside", label %"behind"
inside:
  %".101" = add i64 %".98", %".96"
  %".102" = icmp slt i64 %".101", %".94"
  %".103" = select  i1 %".102", i64 %".101", i64 %".94"
  %".106" = mul i64 %".105", 1
  %".109" = ashr i64 %".106", 1
  %".110" = add i64 %".6", 1
  %".111" = mul i64 %".109", %".6"
  %".112" = sdiv i64 %".111", %".7"
  %".113" = shl i64 %".112", 1
  %".114" = mul i64 %".109", %".110"
  %".115" = sdiv i64 %".114", %".7"
  %".116" = shl i64 %".115", 1
  %".117" = ashr i64 %".113", 1
  %".118" = ashr i64 %".116", 1
  br label %"head.1"
behind:
  ret void
head.1:
  %".120" = phi  i64 [%".117", %"inside"], [%".170", %"behind.2"]
  %".121" = icmp slt i64 %".120", %".118"
  br i1 %".121", label %"inside.1", label %"behind.1"
inside.1:
  %".123" = add i64 %".120", %".108"
  %".124" = icmp slt i64 %".123", %".118"
  %".125" = select  i1 %".124", i64 %".123", i64 %".118"
  %".126" = sub i64 %".125", %".120"
  br label %"head.2"
behind.1:
  %".172" = icmp sgt i64 %".7", 1
  br i1 %".172", label %"behind.1.if", label %"behind.1.endif"
head.2:
  %".128" = phi  i64 [%".4", %"inside.1"], [%".168", %"inside.2"]
  %".129" = icmp slt i64 %".128", %".5"
  br i1 %".129", label %"inside.2", label %"behind.2"
inside.2:
  %".131" = getelementptr i64, i64* %".88", i64 %".128"
  %".132" = load i64, i64* %".131"
  %".133" = icmp slt i64 %".103", %".132"
  %".134" = select  i1 %".133", i64 %".103", i64 %".132"
  %".138" = getelementptr i64, i64* %".137", i64 %".128"
  %".139" = load i64, i64* %".138"
  %".145" = mul i64 %".128", %".144"
  %".146" = getelementptr float, float* %".142", i64 %".145"
  %".147" = mul i64 %".120", 16
  %".148" = getelementptr float, float* %".146", i64 %".147"
  %".153" = mul i64 %".139", %".152"
  %".154" = mul i64 %".98", %".150"
  %".155" = add i64 %".153", %".154"
  %".159" = getelementptr float, float* %".158", i64 %".155"
  %".160" = sub i64 %".134", %".98"
  %".163" = getelementptr float, float* %".40", i64 %".42"
  %".164" = mul i64 %".120", %".30"
  %".165" = mul i64 %".164", 16
  %".166" = getelementptr float, float* %".163", i64 %".165"
  call void @"unrolled_product_float32_8"(i64 %".160", i64 %".30", float* %".159", i64 %".150", float* %".166", i64 %".126", float* %".148", i64 %".162", i64 0)
  %".168" = add i64 %".128", 1
  br label %"head.2"
behind.2:
  %".170" = add i64 %".120", %".108"
  br label %"head.1"
behind.1.if:
  %".174" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".175" = sdiv i64 %".174", %".7"
  %".176" = add i64 %".175", 1
  %".177" = mul i64 %".176", %".7"
  br label %"look.1"
behind.1.endif:
  br label %"head.3"
look.1:
  %".179" = phi  i64 [0, %"behind.1.if"], [%".184", %"again.1.endif"]
  %".180" = load atomic i64, i64* %".64" acquire, align 8
  %".181" = icmp sge i64 %".180", %".177"
  br i1 %".181", label %"met.1", label %"again.1"
again.1:
  call void @"llvm.x86.sse2.pause"()
  %".184" = add i64 %".179", 1
  %".185" = and i64 %".184", 32767
  %".186" = icmp eq i64 %".185", 0
  br i1 %".186", label %"again.1.if", label %"again.1.endif"
met.1:
  br label %"behind.1.endif"
again.1.if:
  %".188" = call i32 @"sched_yield"()
  br label %"again.1.endif"
again.1.endif:
  br label %"look.1"
head.3:
  %".193" = phi  i64 [%".98", %"behind.1.endif"], [%".348", %"behind.7.endif"]
  %".194" = icmp slt i64 %".193", %".103"
  br i1 %".194", label %"inside.3", label %"behind.3"
inside.3:
  br label %"head.4"
behind.3:
  %".350" = add i64 %".98", %".96"
  br label %"head"
head.4:
  %".197" = phi  i64 [%".4", %"inside.3"], [%".206", %"inside.4"]
  %".198" = phi  i64 [%".4", %"inside.3"], [%".205", %"inside.4"]
  %".199" = icmp slt i64 %".197", %".5"
  br i1 %".199", label %"inside.4", label %"behind.4"
inside.4:
  %".201" = getelementptr i64, i64* %".88", i64 %".197"
  %".202" = load i64, i64* %".201"
  %".203" = icmp sgt i64 %".202", %".193"
  %".204" = zext i1 %".203" to i64
  %".205" = add i64 %".198", %".204"
  %".206" = add i64 %".197", 1
  br label %"head.4"
behind.4:
  %".210" = icmp ne i64 %".209", 0
  br i1 %".210", label %"behind.4.if", label %"behind.4.endif"
behind.4.if:
  %".212" = inttoptr i64 %".209" to i8*
  %".213" = icmp eq i64 %".6", 0
  br i1 %".213", label %"behind.4.if.if", label %"behind.4.if.endif"
behind.4.endif:
  %".285" = sub i64 %".193", %".98"
  %".286" = ashr i64 %".105", 1
  %".287" = add i64 %".6", 1
  %".288" = mul i64 %".286", %".6"
  %".289" = sdiv i64 %".288", %".7"
  %".290" = shl i64 %".289", 1
  %".291" = mul i64 %".286", %".287"
  %".292" = sdiv i64 %".291", %".7"
  %".293" = shl i64 %".292", 1
  br label %"head.7"
behind.4.if.if:
  br label %"head.5"
behind.4.if.endif:
  %".264" = icmp sgt i64 %".7", 1
  br i1 %".264", label %"behind.4.if.endif.if", label %"behind.4.if.endif.endif"
head.5:
  %".216" = phi  i64 [%".4", %"behind.4.if.if"], [%".261", %"inside.5.endif"]
  %".217" = icmp slt i64 %".216", %".198"
  br i1 %".217", label %"inside.5", label %"behind.5"
inside.5:
  %".219" = getelementptr i64, i64* %".137", i64 %".216"
  %".220" = load i64, i64* %".219"
  %".223" = mul i64 %".220", %".222"
  %".224" = add i64 %".223", %".193"
  %".225" = getelementptr i8, i8* %".212", i64 %".224"
  %".226" = load i8, i8* %".225"
  %".227" = icmp ne i8 %".226", 0
  br i1 %".227", label %"inside.5.if", label %"inside.5.endif"
behind.5:
  br label %"behind.4.if.endif"
inside.5.if:
  %".231" = and i64 %".193", %".230"
  %".234" = mul i64 %".231", %".233"
  %".240" = mul i64 %".216", %".239"
  %".241" = add i64 %".234", %".240"
  %".242" = getelementptr float, float* %".237", i64 %".241"
  %".248" = mul i64 %".220", %".247"
  %".249" = getelementptr float, float* %".245", i64 %".248"
  br label %"head.6"
inside.5.endif:
  %".261" = add i64 %".216", 1
  br label %"head.5"
head.6:
  %".251" = phi  i64 [0, %"inside.5.if"], [%".258", %"inside.6"]
  %".252" = icmp slt i64 %".251", %".28"
  br i1 %".252", label %"inside.6", label %"behind.6"
inside.6:
  %".254" = getelementptr float, float* %".242", i64 %".251"
  %".255" = getelementptr float, float* %".249", i64 %".251"
  %".256" = load float, float* %".255"
  store float %".256", float* %".254"
  %".258" = add i64 %".251", 1
  br label %"head.6"
behind.6:
  br label %"inside.5.endif"
behind.4.if.endif.if:
  %".266" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".267" = sdiv i64 %".266", %".7"
  %".268" = add i64 %".267", 1
  %".269" = mul i64 %".268", %".7"
  br label %"look.2"
behind.4.if.endif.endif:
  br label %"behind.4.endif"
look.2:
  %".271" = phi  i64 [0, %"behind.4.if.endif.if"], [%".276", %"again.2.endif"]
  %".272" = load atomic i64, i64* %".64" acquire, align 8
  %".273" = icmp sge i64 %".272", %".269"
  br i1 %".273", label %"met.2", label %"again.2"
again.2:
  call void @"llvm.x86.sse2.pause"()
  %".276" = add i64 %".271", 1
  %".277" = and i64 %".276", 32767
  %".278" = icmp eq i64 %".277", 0
  br i1 %".278", label %"again.2.if", label %"again.2.endif"
met.2:
  br label %"behind.4.if.endif.endif"
again.2.if:
  %".280" = call i32 @"sched_yield"()
  br label %"again.2.endif"
again.2.endif:
  br label %"look.2"
head.7:
  %".297" = phi  i64 [%".290", %"behind.4.endif"], [%".326", %"inside.7"]
  %".298" = icmp slt i64 %".297", %".293"
  br i1 %".298", label %"inside.7", label %"behind.7"
inside.7:
  %".300" = add i64 %".297", %".295"
  %".301" = icmp slt i64 %".300", %".293"
  %".302" = select  i1 %".301", i64 %".300", i64 %".293"
  %".303" = sub i64 %".302", %".297"
  %".304" = mul i64 %".303", 1
  %".305" = add i64 %".304", 1
  %".306" = sdiv i64 %".305", 2
  %".307" = mul i64 %".297", 1
  %".308" = sdiv i64 %".307", 2
  %".311" = getelementptr float, float* %".15", i64 %".310"
  %".314" = and i64 %".193", %".230"
  %".315" = mul i64 %".314", %".233"
  %".316" = getelementptr float, float* %".237", i64 %".315"
  %".317" = mul i64 %".4", %".239"
  %".318" = getelementptr float, float* %".316", i64 %".317"
  %".319" = sub i64 %".198", %".4"
  %".320" = getelementptr float, float* %".40", i64 %".57"
  %".321" = mul i64 %".308", %".28"
  %".322" = mul i64 %".321", 16
  %".323" = getelementptr float, float* %".320", i64 %".322"
  call void @"unrolled_product_float32_8"(i64 %".319", i64 %".28", float* %".318", i64 %".239", float* %".323", i64 %".306", float* %".311", i64 %".313", i64 0)
  call void @"forward_stage0"(i64* %".1", i64 %".193", i64 %".285", i64 %".4", i64 %".198", i64 %".297", i64 %".302", float* %".15")
  %".326" = add i64 %".297", %".295"
  br label %"head.7"
behind.7:
  %".328" = icmp sgt i64 %".7", 1
  br i1 %".328", label %"behind.7.if", label %"behind.7.endif"
behind.7.if:
  %".330" = atomicrmw add i64* %".64", i64 1 acq_rel
  %".331" = sdiv i64 %".330", %".7"
  %".332" = add i64 %".331", 1
  %".333" = mul i64 %".332", %".7"
  br label %"look.3"
behind.7.endif:
  %".348" = add i64 %".193", 1
  br label %"head.3"
look.3:
  %".335" = phi  i64 [0, %"behind.7.if"], [%".340", %"again.3.endif"]
  %".336" = load atomic i64, i64* %".64" acquire, align 8
  %".337" = icmp sge i64 %".336", %".333"
  br i1 %".337", label %"met.3", label %"again.3"
again.3:
  call void @"llvm.x86.sse2.pause"()
  %".340" = add i64 %".335", 1
  %".341" = and i64 %".340", 32767
  %".342" = icmp eq i64 %".341", 0
  br i1 %".342", label %"again.3.if", label %"again.3.endif"
met.3:
  br label %"behind.7.endif"
again.3.if:
  %".344" = call i32 @"sched_yield"()
  br label %"again.3.endif"
again.3.endif:
  br label %"look.3"
}

declare void @"unrolled_pack_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", i64 %".5", float* %".6", i64 %".7", i64 %".8", float %".9")

declare void @"llvm.x86.sse2.pause"()

declare i32 @"sched_yield"()

declare void @"unrolled_product_float32_8"(i64 %".1", i64 %".2", float* %".3", i64 %".4", float* %".5", i64 %".6", float* %".7", i64 %".8", i64 %".9")
